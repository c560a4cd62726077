"""Rotate the parts' logs under their writers.

A part has its log open for appending, so the file is copied and emptied, never moved:
what is written between the two is lost, a line or two.
"""

from __future__ import annotations

import shutil
from pathlib import Path

LIMIT_BYTES = 16 * 1024 * 1024
KEPT = 3


def rotate(log: Path, limit: int = LIMIT_BYTES) -> bool:
    """Move a log's content to `log.1` when it is over `limit` bytes; say whether it was."""
    try:
        if log.stat().st_size <= limit:
            return False
    except FileNotFoundError:
        return False
    for number in range(KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.rename(log.with_name(f"{log.name}.{number + 1}"))
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    with log.open("r+b") as file:
        file.truncate(0)
    return True
