"""Moments in a column, however they are written: as seconds since 1970, or as plain numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from infra.evaluation.table import Cell

DAY_S = 86_400.0
_EPOCHS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (1e8, 1.0))  # from, to seconds
_NUMBER = re.compile(
    r"[$€£₩¥]? ?[-+]?(\d+(,\d{3})*(,\d+|\.\d+)?|\d{1,3}(\.\d{3})+,\d+) ?[%€₩]?", re.ASCII
)
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?$")
_WRITTEN = (
    "%Y%m%d", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y-%m", "%d.%m.%Y", "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S", "%d %b %Y", "%d-%b-%Y", "%b-%Y", "%b %Y", "%d %B %Y", "%B %d, %Y",
    "%b %d, %Y", "%Y/%m/%d %H:%M", "%Y.%m.%d", "%Y.%m.%d %H:%M", "%Y.%m.%d %H:%M:%S", "%d-%b-%y",
    "%d-%b-%Y %H:%M:%S", "%d %b %Y %H:%M", "%d %b %Y %H:%M:%S", "%d %B %Y, %H:%M",
    "%a, %d %b %Y %H:%M:%S", "%a, %d %b %Y %H:%M:%S %z", "%a %b %d %H:%M:%S %Y",
    "%Y-%m-%d %H:%M:%S %z", "%d/%b/%Y:%H:%M:%S %z", "%Y년 %m월 %d일", "%Y년 %m월 %d일 %H:%M",
)  # fmt: skip
_SLASHED = re.compile(
    r"(\d{1,2})([/-])(\d{1,2})\2(\d{4}|\d\d)( \d{1,2}:\d\d(:\d\d)?( [AP]M)?)?", re.ASCII
)
_SHORTEST, _LONGEST = 6, 40  # characters of a date, in any of these spellings


class Clock:
    """Reads one column's moments. `plain`: its numbers are no dates, but count something."""

    def __init__(self, written: str | None = None, plain: bool = False) -> None:
        self.written = written
        self.plain = plain

    @property
    def day(self) -> float:
        """A day in the unit of what is read; of plain numbers one step."""
        return 1.0 if self.plain else DAY_S

    def read(self, cell: Cell) -> float | None:
        """Return a cell's moment; None when it cannot be read as one."""
        if cell is None or isinstance(cell, bool):
            return None
        if isinstance(cell, str) and not self.written:
            number = number_of(cell)
            if number is None:
                return _parsed(cell, None)
            cell = number
        if isinstance(cell, str):
            return _parsed(cell, self.written)
        return float(cell) if self.plain else _of_number(float(cell), self.written)


def number_of(cell: Cell) -> float | None:
    """Return a cell as a finite number; None when it is not one."""
    if cell is None or isinstance(cell, bool):
        return None
    try:
        number = float(cell)
    except ValueError:
        number = _written_number(str(cell))
    return number if abs(number) < float("inf") else None


def is_date(cell: Cell) -> bool:
    """Tell whether a cell reads as a moment in time, not as a plain number."""
    number = number_of(cell)
    if number is not None:
        return _of_number(number, None) is not None
    return isinstance(cell, str) and _parsed(cell, None) is not None


def slashed(texts: Iterable[str]) -> str | None:
    """Return how dates like 1/31/2026 and 31-1-2026 are written, as strptime has it.

    None: they are no such dates, or do not tell whether the month or the day comes first.
    """
    found: set[tuple[str, str, str]] = set()
    first = second = 0
    for text in texts:
        written = _SLASHED.fullmatch(text)
        if written is None:
            return None
        one, mark, other, year, hours, seconds, half = written.groups()
        clock = f" {'%I' if half else '%H'}:%M" + (":%S" if seconds else "") if hours else ""
        found.add((mark, "%Y" if len(year) == 4 else "%y", clock + (" %p" if half else "")))
        first, second = max(first, int(one)), max(second, int(other))
    if len(found) != 1 or (first > 12) == (second > 12):
        return None
    ((mark, year, clock),) = found
    return mark.join((*(("%d", "%m") if first > 12 else ("%m", "%d")), year)) + clock


@lru_cache(maxsize=8_192)
def _written_number(text: str) -> float:
    """Return 1,234.5 and 1.234,5 and 1,5 and $3 and 40% as numbers; infinity when it is none."""
    if not _NUMBER.fullmatch(text):
        return float("inf")
    digits = text.strip("$€£₩¥% ")
    if "." in digits and digits.rfind(".") < digits.find(","):  # 1.234,50
        digits = digits.replace(".", "")
    separated = digits.replace(",", "" if _THOUSANDS.match(digits) else ".")
    return float(separated) / (100.0 if text.endswith("%") else 1.0)


def _of_number(number: float, written: str | None) -> float | None:
    if written is not None:
        return _parsed(f"{number:.0f}", written)
    if number == int(number) and 19000101 <= number <= 21001231:
        return _parsed(f"{number:.0f}", "%Y%m%d")
    for least, scale in _EPOCHS:
        if number >= least:
            return number * scale
    return None


@lru_cache(maxsize=8_192)  # a table's days repeat, and reading one takes 30 µs
def _parsed(text: str, written: str | None) -> float | None:
    if written is None:
        text = text.removesuffix(" UTC").removesuffix(" GMT")
        if not _SHORTEST <= len(text) <= _LONGEST or text.isalpha():
            return None
        try:
            return _seconds(datetime.fromisoformat(text))
        except ValueError:
            read = (_parsed(text, one) for one in _WRITTEN)
            return next((moment for moment in read if moment is not None), None)
    try:
        return _seconds(datetime.strptime(text, written))  # noqa: DTZ007  its zone follows
    except ValueError:
        return None


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
