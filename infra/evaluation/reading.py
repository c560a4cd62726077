"""A file's rows in time order, each with its features and what came of it.

Rows that cannot be used are counted and told, never silently dropped.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from infra.errors import UserError
from infra.evaluation.columns import MOST_FAULTS, Contents, look, told, value_of
from infra.evaluation.moments import DAY_S, Clock
from infra.evaluation.roles import Roles
from infra.evaluation.table import Cell, Line, Source
from models.online.held import Packer, unpack

MOST_SORTED = 5_000_000  # rows that are sorted in memory when a file is not in time order

Tell = Callable[[str, int, int], None]  # what is being done, how far, of how much (0: unknown)
Cells = dict[str, Cell]
T = TypeVar("T")


class UnusableRowError(ValueError):
    """A row says nothing that can be used; the message says what is wrong with it."""


class Raw(NamedTuple, Generic[T]):
    """A row: its features by column, and what came of it, known from `known_at` on."""

    number: int
    at: float
    key: str
    cells: Cells
    known_at: float
    outcome: T


@dataclass(slots=True)
class Trouble:
    """Rows that were left out, and cells that were taken for empty."""

    rows: int = 0
    cells: int = 0
    told: list[str] = field(default_factory=list)  # the first MOST_FAULTS

    def row(self, number: int, why: object) -> None:
        """Count a row that is left out."""
        self.rows += 1
        self._tell(f"row {number}: {why}")

    def cell(self, number: int, name: str, cell: Cell) -> None:
        """Count a cell that is not what its column holds."""
        self.cells += 1
        self._tell(f"row {number}, column {name!r}: {cell!r} taken for empty")

    def _tell(self, line: str) -> None:
        if len(self.told) < MOST_FAULTS:
            self.told.append(line)


def contents(table: Source, tell: Tell) -> Contents:
    """Read a file once for what its columns hold. Raises FileUnreadableError."""

    def counted() -> Iterator[Line]:
        for count, line in enumerate(table):
            tell("reading", count, 0)
            yield line

    return look(counted())


class Reader(Generic[T]):
    """The rows of a file by the roles of its columns; `outcome` reads what came of one."""

    def __init__(
        self, table: Source, found: Contents, role: Roles, outcome: Callable[[Cells], T | None]
    ) -> None:
        """Read the file once for its order. Raises UserError when no row can be used."""
        self.found, self.role = found, role
        self.trouble = Trouble()
        self.rows = self.labelled = 0
        self.sorted = False
        self._table, self._outcome = table, outcome
        self._ends = float("inf")
        self._dates = {
            name: Clock(found.columns[name].written)
            for name, kind in role.features.items()
            if kind == "date"
        }
        self._order()

    def __iter__(self) -> Iterator[Raw[T | None]]:
        """Yield the rows in time order; what is wrong with others goes to `trouble`."""
        self.trouble = trouble = Trouble()
        if not self.sorted:
            yield from self._each(trouble)
        else:
            yield from _by_time(self._each(trouble))

    def _order(self) -> None:
        """See whether the rows are in time order, and how far in time they reach."""
        last = most = float("-inf")
        trouble = Trouble()
        for raw in self._each(trouble):
            self.sorted = self.sorted or raw.at < last
            last = raw.at
            most = max(most, last)
            self.rows += 1
            self.labelled += raw.outcome is not None
        if not self.rows:
            raise UserError("no row of the file can be used", "\n".join(trouble.told[:3]))
        self._ends = most
        if not self.sorted:
            return
        if self.rows > MOST_SORTED:
            raise UserError(
                f"the rows are not in time order, and {self.rows:,} of them are too many to sort",
                "Sort the file first.",
            )
        if self.role.time is not None:
            self.role.notes.append(f"the rows were sorted by {self.role.time!r}")

    def _each(self, trouble: Trouble) -> Iterator[Raw[T | None]]:
        for place, line in enumerate(self._table):
            try:
                yield self._raw(line, place, trouble)
            except UnusableRowError as why:
                trouble.row(line.number, why)

    def _raw(self, line: Line, place: int, trouble: Trouble) -> Raw[T | None]:
        if line.fault:
            raise UnusableRowError(line.fault)
        at = self._at(line, place)
        outcome = self._outcome(line.cells)
        known_at = at
        if outcome is not None:
            known_at = self._known_at(line, at)
            if self.role.delay is not None and known_at > self._ends:
                outcome = None  # nobody can have seen how it ended
        key = "" if self.role.key is None else told(line.cells.get(self.role.key))
        features: Cells = {}
        for name, kind in self.role.features.items():
            cell = line.cells.get(name)
            value = features[name] = (
                self._days(name, cell, at) if kind == "date" else value_of(cell, kind)
            )
            if value is None and cell is not None:
                trouble.cell(line.number, name, cell)
        return Raw(line.number, at, key, features, known_at, outcome)

    def _at(self, line: Line, place: int) -> float:
        name = self.role.time
        if name is None:
            return _shuffled(place) if self.role.asked.shuffle else float(place)
        at = self.role.clock.read(line.cells.get(name))
        if at is None:
            raise UnusableRowError(f"no time: {line.cells.get(name)!r} in column {name!r}")
        return at

    def _days(self, name: str, cell: Cell, at: float) -> float | None:
        """Return how many days before its row a date is; the day itself where rows have none."""
        moment = self._dates[name].read(cell)
        if moment is None:
            return None
        dated = self.role.time is not None and not self.role.clock.plain
        return ((at - moment) if dated else moment) / DAY_S

    def _known_at(self, line: Line, at: float) -> float:
        if self.role.delay is not None:
            return at + self.role.delay
        name = self.role.label_time
        if name is None:
            return at
        known = self.role.label_clock.read(line.cells.get(name))
        if known is None:
            raise UnusableRowError(f"no time: {line.cells.get(name)!r} in column {name!r}")
        if known < at:
            raise UnusableRowError(f"known before its row, by column {name!r}")
        return known


def _by_time(rows: Iterator[Raw[T]]) -> Iterator[Raw[T]]:
    """Yield rows by time, those of one time as they come; they are held packed meanwhile."""
    numbers, times, known = array("q"), array("d"), array("d")
    keys: list[str] = []
    names: list[tuple[str, ...]] = []
    values: list[bytes] = []
    outcomes: list[T] = []
    packer, known_keys = Packer(), dict[str, str]()
    for raw in rows:
        numbers.append(raw.number)
        times.append(raw.at)
        known.append(raw.known_at)
        keys.append(known_keys.setdefault(raw.key, raw.key))
        packed = packer.pack(raw.cells)
        names.append(packed[0])
        values.append(packed[1])
        outcomes.append(raw.outcome)
    for at in np.argsort(times, kind="stable"):
        cells = unpack((names[at], values[at]))
        yield Raw(numbers[at], times[at], keys[at], cells, known[at], outcomes[at])


def _shuffled(place: int) -> float:
    """Return a time for a row without one: the same each time, and in no order."""
    return float(int.from_bytes(blake2b(b"%d" % place, digest_size=6).digest(), "big"))
