"""Rows that have to be held, packed: nine bytes a number, and the names once for all of them.

What comes out is what was put in, to the bit, with its names in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

Packed = tuple[tuple[str, ...], bytes]  # names, which alike rows share, and values


class Packer:
    """Packs mappings of names to numbers, texts, truths and nothing."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def pack(self, row: Mapping[str, Any]) -> Packed:
        """Return a row packed. Raises TypeError on values of other types."""
        names = tuple(row)
        return self._names.setdefault(names, names), _encode(list(row.values()))


def unpack(packed: Packed) -> dict[str, Any]:
    """Return what was packed; a new dict."""
    names, values = packed
    return dict(zip(names, _decode(values), strict=True))


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Any]).decode
