"""How far a file has been sent, kept under `C360_HOME`, so that an import can go on.

A checkpoint is written only after the broker has everything up to it. Beyond it
the log itself is asked: what was sent after it and acknowledged, or not, is there
or is not.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct, field

from infra.files.errors import FileUnreadableError


class Checkpoint(Struct, frozen=True, kw_only=True):
    """Everything up to `row` is in the log; `ends` is where each partition ended then."""

    path: str
    row: int = 0
    digest: str = ""  # of all rows up to it: tells whether the file is still the same
    ends: dict[int, int] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path) -> Self | None:
        """Read a checkpoint, if there is one. Raises FileUnreadableError on a broken one."""
        try:
            return msgspec.json.decode(file.read_bytes(), type=cls)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise FileUnreadableError(
                f"{file}: cannot be read ({error}); delete it and use --again to start over"
            ) from error

    def save(self, file: Path) -> None:
        """Write it whole or not at all. Raises FileUnreadableError when that cannot be done."""
        fresh = file.with_suffix(".new")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("wb") as out:
                out.write(msgspec.json.encode(self))
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(file)
        except OSError as error:
            raise FileUnreadableError(f"{file}: cannot be written ({error})") from error


def place_of(folder: Path, log: str, first: str) -> Path:
    """Name the checkpoint of the file whose first row has digest `first`, sent to `log`."""
    name = blake2b(f"{log}\n{first}".encode(), digest_size=10).hexdigest()
    return folder / f"{name}.json"
