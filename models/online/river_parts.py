"""The parts of River that the models here are made of.

River's packages import all that they hold, SciPy's statistics among it: over two
seconds of every start, and of every restart after a crash. So a package is entered
without being run, and only the modules named here are.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec


def _enter(package: str) -> None:
    """Make a package's modules importable without running the package itself."""
    if package not in sys.modules:
        spec = find_spec(package)
        assert spec is not None, f"no {package}: River is another release than the pinned one"
        sys.modules[package] = module_from_spec(spec)


_enter("river.linear_model")
_enter("river.preprocessing")

import river.linear_model.base  # noqa: E402, F401  # the regression looks for it there
from river.linear_model.log_reg import LogisticRegression  # noqa: E402
from river.optim import AdaGrad  # noqa: E402
from river.preprocessing.scale import StandardScaler  # noqa: E402
from river.utils import VectorDict  # noqa: E402

__all__ = ["AdaGrad", "LogisticRegression", "StandardScaler", "VectorDict"]
