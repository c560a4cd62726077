"""Another framework's environment: its own versions, locked with hashes, kept between runs."""

import shutil
import subprocess
import sys
from pathlib import Path

from infra.compiled import build
from tests.bench.harness import Bench
from tests.bench.peers.kept import kept

PEERS = Path(__file__).parent
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def python(bench: Bench, name: str) -> str:
    """Return the interpreter of a peer's environment, made when missing. Needs uv.

    Its Python is ours, and its core is compiled if ours is.
    """
    locked = PEERS / name / "requirements.txt"
    doing = f"making the environment of {name}"
    made_of = locked.read_bytes() + sys.version.encode()
    home = kept(bench, name, made_of, doing, lambda home: _make(home, locked))
    build.share(home / "lib" / f"python{VERSION}" / "site-packages")
    return str(home / "bin" / "python")


def _make(home: Path, locked: Path) -> None:
    uv = [shutil.which("uv")] if shutil.which("uv") else [sys.executable, "-m", "uv"]
    for command in (
        ["venv", "--quiet", "--clear", "--python", sys.executable, str(home)],
        ["pip", "sync", "--quiet", "--python", f"{home}/bin/python", "--require-hashes", locked],
    ):
        subprocess.run([*uv, *command], check=True, capture_output=True)
