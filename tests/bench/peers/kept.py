"""What a peer needs built, kept between runs under the digest of what it is made of."""

import fcntl
import hashlib
from collections.abc import Callable
from pathlib import Path

from tests.bench.harness import Bench


def kept(bench: Bench, name: str, source: bytes, doing: str, make: Callable[[Path], None]) -> Path:
    """Return the folder that `make` filled from `source`; `doing` is said when it has to."""
    home = bench.cache / f"{name}-{hashlib.sha256(source).hexdigest()[:12]}"
    with (bench.cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / ".ready").exists():
            bench.say(doing)
            make(home)
            (home / ".ready").touch()
    return home
