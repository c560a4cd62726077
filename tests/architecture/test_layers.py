"""The house keeps its shape: layers, names, and what the built package holds."""

import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("models", "streams", "projections", "infra")


def test_the_dataflow_points_inward():
    # In a process of its own: it configures logging anew, which would silence later tests.
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_takes_our_import_names(package):
    assert set(packages_distributions().get(package, ["customer360"])) == {"customer360"}


def test_tests_are_no_packages():
    # An __init__.py under tests/models would make `import models` mean the tests.
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_the_wheel_carries_the_data_files_and_not_the_tests(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    data = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for suffix in ("*.sql", "*.toml", "*.html", "*.css", "*.js", "pom.xml")
        for path in (ROOT / package).rglob(suffix)
        if "libs" not in path.parts
    }
    assert data
    assert data <= names
    assert not any(name.startswith("tests/") for name in names)
