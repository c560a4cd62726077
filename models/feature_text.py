"""Features as records carry them: a JSON object, written straight from their array.

What it says reads as the very numbers of the array: they have six decimals, and a quotient by a
million is the double next to such a text. A dict and a library's encoder cost four times as much.
"""

from __future__ import annotations

from math import isnan
from typing import Final

from librt.strings import BytesWriter
from librt.vecs import vec
from msgspec import Raw
from mypy_extensions import i64

from models import places
from models.records import Features

_MILLION: Final = 1e6
_LARGEST: Final = 1e9  # beyond it numbers were not rounded
_OPENS: Final = ord("{")
_KEYS: Final = [f',"{name}":'.encode() for name in places.NAMES]
_NOTHING: Final = [f',"{name}":0.0'.encode() for name in places.NAMES]  # what is oftenest told
_THREE: Final = [b"%03d" % number for number in range(1000)]
_WHOLE: Final = [b"%d." % number for number in range(1000)]
_LAST: Final = [(b"%03d" % number).rstrip(b"0") or b"0" for number in range(1000)]


def packed(values: vec[float]) -> Features:
    """Return features by place as text, without those that are not known (NaN).

    The values are finite, and rounded to six decimals if they are below a billion.
    """
    text = BytesWriter()
    for place in range(i64(len(values))):
        value = values[place]
        if isnan(value):
            continue
        if value == 0.0:
            text.write(_NOTHING[place])
            continue
        text.write(_KEYS[place])
        if -_LARGEST < value < _LARGEST:
            _write(text, value)
        else:
            text.write(b"%r" % value)
    if not len(text):
        return Raw(b"{}")
    text[0] = _OPENS
    text.write(b"}")
    return Raw(text.getvalue())


def _write(text: BytesWriter, value: float) -> None:
    if value < 0.0:
        text.write(b"-")
        value = -value
    millionths = i64(value * _MILLION + 0.5)
    whole, rest = millionths // 1_000_000, millionths % 1_000_000
    text.write(_WHOLE[whole] if whole < 1000 else b"%d." % whole)
    high, low = rest // 1000, rest % 1000
    if low:
        text.write(_THREE[high])
        text.write(_LAST[low])
    else:
        text.write(_LAST[high])
