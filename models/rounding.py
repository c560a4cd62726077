"""Numbers as records carry them, rounded once when they are made: all who read them read the same.

A double has seventeen digits as text, of which no model and nobody else needs more than six
decimals. They are a third of the bytes, and sooner read.
"""

from __future__ import annotations

from typing import Final

from librt.vecs import vec
from mypy_extensions import i64

_WHOLE: Final = 6_755_399_441_055_744.0  # 1.5 * 2**52: what is added to it loses its fraction
_LARGE: Final = 1e9  # beyond it a number is left as it is


def to_six(number: float) -> float:
    """Return a number to six decimals, a half to the even one; what is none stays so."""
    if -_LARGE < number < _LARGE:
        return (number * 1e6 + _WHOLE - _WHOLE) / 1e6
    return number


def to_four(number: float) -> float:
    """Return a number to four decimals, a half to the even one; what is none stays so."""
    if -_LARGE < number < _LARGE:
        return (number * 1e4 + _WHOLE - _WHOLE) / 1e4
    return number


def all_to_six(numbers: vec[float]) -> None:
    """Round an array's numbers to six decimals, in place."""
    for place in range(i64(len(numbers))):
        numbers[place] = to_six(numbers[place])
