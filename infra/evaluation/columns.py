"""What a file's columns hold, found by reading it once: kinds, values, and how they are named.

What is kept of a column is bounded, however long the file is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from infra.evaluation.moments import is_date, number_of, slashed
from infra.evaluation.table import Cell, Line

Kind = Literal["number", "truth", "date", "text", "free text", "empty", "constant"]
MOST_COLUMNS = 2_000
MOST_VALUES = 1_000  # of one column, kept to tell its kind and to count its classes
MOST_FAULTS = 20  # of a file, kept to show
TRUTHS = {"true": True, "false": False, "yes": True, "no": False, "t": True, "f": False}
_NEARLY = 0.95
_ID = re.compile(r"(^|[^A-Za-z])[Ii][Dd](num)?$|[a-z](Id|ID)$|^(uid|caseid)$|[Rr]ow_?[Nn]umber$")


@dataclass(slots=True)
class Column:
    """One column so far."""

    name: str
    present: int = 0
    numbers: int = 0
    truths: int = 0
    dates: int = 0  # among the first MOST_VALUES different values
    values: Counter[str] = field(default_factory=Counter)  # the first MOST_VALUES different ones
    more: bool = False  # there are others

    def add(self, cell: Cell) -> None:
        """Take in one cell."""
        if cell is None:
            return
        self.present += 1
        number = number_of(cell)
        if number is not None:
            self.numbers += 1
            text = _named(number)
        else:
            text = told(cell)
            self.truths += isinstance(cell, bool) or text.casefold() in TRUTHS
        if text in self.values:
            self.values[text] += 1
        elif len(self.values) < MOST_VALUES:
            self.values[text] = 1
            self.dates += is_date(cell)
        else:
            self.more = True

    @property
    def kind(self) -> Kind:
        """What the column holds. Free text: nearly every value is another one."""
        if not self.present:
            return "empty"
        if len(self.values) == 1 and not self.more:
            return "constant"
        if self.truths == self.present:
            return "truth"
        if self.numbers >= _NEARLY * self.present:
            return "number"
        if self.dated:
            return "date"
        seen = sum(self.values.values())
        return "free text" if len(self.values) > 50 and len(self.values) > seen / 2 else "text"

    @property
    def dated(self) -> bool:
        """Whether its values read as moments in time."""
        return bool(self.values) and (
            self.dates >= _NEARLY * len(self.values) or self.written is not None
        )

    @property
    def written(self) -> str | None:
        """How its dates are written, as strptime has it; None: as each says, or it has none."""
        return slashed(self.values)

    @property
    def names_rows(self) -> bool:
        """Whether it is called an id, and no two rows have the same whole number."""
        return (
            self.kind == "number"
            and _ID.search(self.name) is not None
            and max(self.values.values()) == 1
            and all(value.lstrip("-").removesuffix(".0").isdecimal() for value in self.values)
        )

    @property
    def classes(self) -> int:
        """How many different values it has; those beyond MOST_VALUES are not counted."""
        return len(self.values)


@dataclass(slots=True)
class Contents:
    """What was found in a file: columns in order, rows, and those that could not be read."""

    columns: dict[str, Column]
    rows: int = 0
    unreadable: int = 0
    faults: list[str] = field(default_factory=list)  # the first MOST_FAULTS
    left: int = 0  # cells in columns beyond MOST_COLUMNS


def look(lines: Iterable[Line]) -> Contents:
    """Read a file's rows once and return what they hold."""
    found = Contents({})
    columns = found.columns
    for line in lines:
        found.rows += 1
        if line.fault:
            found.unreadable += 1
            if len(found.faults) < MOST_FAULTS:
                found.faults.append(f"row {line.number}: {line.fault}")
            continue
        for name, cell in line.cells.items():
            column = columns.get(name)
            if column is None:
                if len(columns) >= MOST_COLUMNS:
                    found.left += 1
                    continue
                column = columns[name] = Column(name)
            column.add(cell)
    return found


def told(cell: Cell) -> str:
    """Return a cell as a class's name: 1, 1.0 and "1" are one; so are True and "true"."""
    number = number_of(cell)
    if number is not None:
        return _named(number)
    return str(cell).casefold() if isinstance(cell, bool) else str(cell)


def _named(number: float) -> str:
    return f"{number:g}" if -1e6 < number < 1e6 else repr(number)


def value_of(cell: Cell, kind: Kind) -> Cell:
    """Return a cell as a feature of a column of this kind; None when it is no such value."""
    if cell is None:
        return None
    if kind == "number":
        return number_of(cell)
    if kind == "truth":
        return cell if isinstance(cell, bool) else TRUTHS.get(str(cell).casefold())
    return told(cell)
