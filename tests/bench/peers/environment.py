"""Another framework's environment: its own versions, locked with hashes, kept between runs."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tests.bench.harness import Bench

PEERS = Path(__file__).parent


def python(bench: Bench, name: str) -> str:
    """Return the interpreter of a peer's environment, made when missing. Needs uv."""
    locked = PEERS / name / "requirements.txt"
    digest = hashlib.sha256(locked.read_bytes()).hexdigest()[:12]
    home = bench.cache / f"{name}-{digest}"
    with (bench.cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / ".ready").exists():
            bench.say(f"making the environment of {name}")
            _make(home, locked)
            (home / ".ready").touch()
    return str(home / "bin" / "python")


def _make(home: Path, locked: Path) -> None:
    uv = [shutil.which("uv")] if shutil.which("uv") else [sys.executable, "-m", "uv"]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for command in (
        ["venv", "--quiet", "--clear", "--python", version, str(home)],
        ["pip", "sync", "--quiet", "--python", f"{home}/bin/python", "--require-hashes", locked],
    ):
        subprocess.run([*uv, *command], check=True, capture_output=True)
