"""Numbers and bytes as short JSON strings, bit for bit, for what a snapshot carries much of."""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable


def pack_bytes(value: bytes) -> str:
    """Write bytes as base64."""
    return b64encode(value).decode("ascii")


def unpack_bytes(text: str) -> bytes:
    """Read what `pack_bytes` wrote. Raises ValueError on anything else."""
    return b64decode(text, validate=True)


def pack_marks(marks: Iterable[int]) -> str:
    """Write whole numbers in [0, 65,535] as two bytes each, the lower first."""
    return pack_bytes(_little(array("H", marks)).tobytes())


def unpack_marks(text: str) -> list[int]:
    """Read what `pack_marks` wrote. Raises ValueError on anything else."""
    marks = array("H")
    marks.frombytes(unpack_bytes(text))
    return _little(marks).tolist()


def _little(marks: array[int]) -> array[int]:
    if sys.byteorder == "big":
        marks.byteswap()
    return marks
