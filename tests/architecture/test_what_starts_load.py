"""A part that starts loads what it needs: SciPy and pandas take a second, and only learners ask."""

import subprocess
import sys

import pytest

from infra import cli
from infra.cli import models
from infra.cli.lazy import imported

HEAVY = {"scipy", "pandas", "sklearn", "river.linear_model", "matplotlib"}


@pytest.mark.parametrize(
    "part", ["infra.cli", "streams.ingest.app", "streams.judge", "projections.serve.app"]
)
def test_who_does_not_learn_loads_no_learning_library(part):
    code = f"import sys, {part}; print(*{HEAVY!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# What only those commands need that read files, fit, or read a whole log.
BIG = HEAVY | {"numpy", "faust", "pyarrow", "models.fitting"}


@pytest.mark.parametrize(
    "command", ["profile", "status", "models", "workers", "topics", "identity"]
)
def test_a_light_command_loads_no_big_library(command):
    assert loaded(f"import infra.cli.{command}", BIG) == set()


@pytest.mark.parametrize("asked", [["--help"], ["models", "--help"], []])
def test_help_loads_no_command_that_it_names(asked):
    run = f"""
import sys
from infra.cli import main
sys.argv[1:], sys.stdout = {asked!r}, sys.stderr
try:
    main()
except SystemExit:
    sys.stdout = sys.__stdout__
"""
    later = {one.module for one in (*cli.COMMANDS.values(), *models.LATER.values())} - {"models"}
    named = {f"infra.cli.{module}" for module in later}
    assert loaded(run, BIG | named) == set()


def loaded(code, modules):
    """Return which of the modules a process has loaded after the code."""
    code += f"\nprint(*{modules!r} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", "import sys\n" + code], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(("name", "later"), [*cli.COMMANDS.items(), *models.LATER.items()], ids=str)
def test_help_says_of_each_command_what_its_own_help_says_first(name, later):
    own = imported(name, later.module)
    first = (own.help or "").split("\n\n")[0]
    assert " ".join(first.split()) == later.says
