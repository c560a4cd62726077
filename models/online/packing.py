"""Numbers and bytes as short JSON strings, bit for bit, for what a snapshot carries much of."""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import TypeVar

from librt.vecs import vec

N = TypeVar("N", int, float)


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


def pack_doubles(numbers: vec[float]) -> str:
    """Write doubles as eight bytes each, the lowest first."""
    return pack_bytes(_little(array("d", bytes(numbers))).tobytes())


def unpack_doubles(text: str) -> vec[float]:
    """Read what `pack_doubles` wrote. Raises ValueError on anything else."""
    return vec[float](_little(array("d", unpack_bytes(text))))


def _little(numbers: array[N]) -> array[N]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
