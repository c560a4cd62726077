"""A part that starts loads what it needs: SciPy and pandas take a second, and only learners ask."""

import subprocess
import sys

import pytest

HEAVY = {"scipy", "pandas", "sklearn", "river.linear_model", "matplotlib"}


@pytest.mark.parametrize(
    "part", ["infra.cli", "streams.ingest.app", "streams.judge", "projections.serve.app"]
)
def test_who_does_not_learn_loads_no_learning_library(part):
    code = f"import sys, {part}; print(*{HEAVY!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
