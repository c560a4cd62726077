"""Compiles the modules that pyproject.toml names, by mypyc and the C compiler that is there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from importlib.metadata import version
from pathlib import Path

from infra.compiled import finder
from infra.errors import UserError

ROOT = Path(__file__).parents[2]
PACKAGE = "customer360_compiled"  # in the environment's site-packages
# Floats as CPython has them: no product and sum in one step, which some processors would do.
_EXACT = "-ffp-contract=off -fno-fast-math"
# No other library is to take a function's place, so they may be called directly and inlined.
_CLOSED = "-fvisibility=hidden -fno-semantic-interposition"
FLAGS = f"{_EXACT} {_CLOSED}"
KEPT = 2  # builds
_SETUP = """
import json, sys
from mypyc.build import mypycify
from setuptools import setup
given = json.load(open("build.json"))
setup(name="compiled", packages=[], ext_modules=mypycify(given, opt_level="2", debug_level="0"))
"""


def site() -> Path:
    """Return the folder that the compiled modules are kept in."""
    return Path(sysconfig.get_path("purelib")) / PACKAGE


def modules() -> list[str]:
    """Return the paths of the modules to compile, from the repository's root."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        named: list[str] = tomllib.load(file)["tool"]["customer360"]["compiled"]
    return [name.replace(".", "/") + ".py" for name in named]


def is_current() -> bool:
    """Tell whether what is compiled is of these sources, this list of modules, this build."""
    try:
        manifest = json.loads((site() / finder.MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    return bool(manifest["digest"] == finder.digest(str(ROOT)) and manifest["of"] == _of())


def _of() -> list[str]:
    return [*modules(), FLAGS, sys.version, version("mypy")]


def compiler() -> str | None:
    """Return the C compiler that Python was built with, if it is there."""
    return shutil.which((os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0])


def remedy() -> str:
    """Return what makes the core run compiled."""
    return "make setup" if compiler() else "apt-get install gcc, then make setup"


def build() -> int:
    """Compile the modules into the environment; return how many. Raises UserError."""
    if compiler() is None:
        raise UserError("no C compiler: the core runs interpreted, which is slower", remedy())
    digest = finder.digest(str(ROOT))
    with tempfile.TemporaryDirectory(prefix="c360-compiled-") as folder:
        work = Path(folder)
        for package in {folder.partition("/")[0] for folder in finder.FOLDERS}:
            shutil.copytree(ROOT / package, work / package, ignore=_ignored)
        _compile(work)
        libraries = {_name(path, work): path for path in work.rglob("*.so")}
        _install(work, libraries, digest)
    return len(modules())


_ignored = shutil.ignore_patterns("__pycache__")


def _compile(work: Path) -> None:
    (work / "setup.py").write_text(_SETUP, encoding="utf-8")
    flags = ["--config-file", str(ROOT / "pyproject.toml")]
    (work / "build.json").write_text(json.dumps([*flags, *modules()]), encoding="utf-8")
    built = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=work,
        env={**os.environ, "CFLAGS": FLAGS, finder.OFF: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        raise UserError(
            f"mypyc could not compile the core:\n{built.stdout[-2000:]}{built.stderr[-2000:]}",
            "the core runs interpreted, which is slower, until this is mended",
        )


def _name(path: Path, work: Path) -> str:
    """Return a library's module: models/features.cpython-311.so -> models.features."""
    return ".".join(path.relative_to(work).with_name(path.name.split(".")[0]).parts)


def _install(work: Path, libraries: dict[str, Path], digest: str) -> None:
    """Put the libraries in place: the manifest last, in one step.

    Each build has a folder of its own: what runs already keeps the one that it began with.
    """
    home = site() / digest[:16]
    home.mkdir(parents=True, exist_ok=True)
    for name, path in libraries.items():
        _put(path.read_bytes(), home / f"{name}.so")
    found = {name: f"{home.name}/{name}.so" for name in libraries}
    manifest = {"digest": digest, "of": _of(), "libraries": found}
    _put(Path(finder.__file__).read_bytes(), site() / "finder.py")
    _put(json.dumps(manifest, indent=1).encode(), site() / finder.MANIFEST)
    _begin(site())
    folders = (path for path in site().iterdir() if path.is_dir() and path.name != "__pycache__")
    for old in sorted(folders, key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(old)


def _begin(folder: Path) -> None:
    # Python runs such a line at its start if it begins with `import`.
    start = f"import {PACKAGE}.finder as finder; finder.install({str(folder)!r})\n"
    _put(start.encode(), folder.with_suffix(".pth"))


def share(packages: Path) -> None:
    """Let another environment of the same Python, whose site-packages these are, have it too."""
    if site().exists():
        shutil.copytree(site(), packages / PACKAGE, dirs_exist_ok=True)
        _begin(packages / PACKAGE)


def _put(content: bytes, path: Path) -> None:
    written = path.with_name(f"{path.name}.{os.getpid()}")
    written.write_bytes(content)
    written.replace(path)
