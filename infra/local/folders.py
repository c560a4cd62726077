"""The data directory: can it be written, and is there room.

Checked before anything is started, because a server that meets a read-only or full
disk half-way says so in a stack trace of its own.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from infra.errors import UserError

NEEDED_BYTES = 512 * 1024 * 1024
_CHOOSE = "choose another directory with C360_HOME"


def prepare(folder: Path, private: bool = False) -> Path:
    """Create `folder`, check that it can be written; return it, absolute.

    Raises UserError when it is read-only, no directory, or the disk is full.
    """
    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file, and a directory is needed", _CHOOSE)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o755)
        probe = folder / f".write-test-{os.getpid()}"
        try:
            probe.write_bytes(b"x" * 4096)
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror}", _CHOOSE) from error
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise UserError(
            f"the disk of {folder} is full: {free // 2**20} MiB free, "
            f"{NEEDED_BYTES // 2**20} MiB are needed",
            f"make room, or {_CHOOSE}",
        )
    return folder
