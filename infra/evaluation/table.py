"""The rows of a file as named cells, whatever it is written in.

A row that cannot be read is told by its number and why, and the rest of the file still is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import orjson

from infra.evaluation.layout import layout
from infra.files.errors import FileUnreadableError
from infra.files.mapping import Layout
from infra.files.rows import SUFFIXES, Kind, Row, kind_of, read

MISSING = frozenset(
    ("", "na", "n/a", "nan", "nat", "null", "none", "?", "\\n", "<na>",
     "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
)  # fmt: skip
ELIGIBLE = ("eligible", "eligible_arms", "eligible_actions", "eligible_offers", "available")

Cell = float | bool | str | None


class Line(NamedTuple):
    """One row: `number` as in `infra.files.rows`; without cells, `fault` says why."""

    number: int
    cells: dict[str, Cell]
    fault: str = ""


class Source(Protocol):
    """Rows that can be read any number of times, and what they are called."""

    @property
    def name(self) -> str:
        """What the report calls them."""

    def __iter__(self) -> Iterator[Line]:
        """Yield every row."""


class Records:
    """Rows that a program has: mappings by column, or a data frame."""

    name = "rows"

    def __init__(self, rows: Any, eligible: str | None = None) -> None:
        """Hold the rows; `eligible` as of a Table."""
        self._rows = rows.to_dict("records") if hasattr(rows, "to_dict") else list(rows)
        self._whole = (*ELIGIBLE, eligible)

    def __iter__(self) -> Iterator[Line]:
        """Yield every row."""
        for number, row in enumerate(self._rows, 1):
            cells = {str(name): _cell(cell) for name, cell in row.items()}
            yield Line(number, _unfolded(cells, self._whole))


class Table:
    """A file of rows, to be read any number of times."""

    def __init__(self, path: Path, eligible: str | None = None) -> None:
        """Refuse what cannot be read at all. Raises FileUnreadableError.

        `eligible`: the column whose lists stay one cell, as of those called ELIGIBLE; of others
        each number is a cell of its own.
        """
        if not path.is_file():
            raise FileUnreadableError(f"{path}: no such file")
        self.path = path
        self.name = path.name
        self._whole = (*ELIGIBLE, eligible)
        self.kind: Kind = _kind(path)
        self._layout = Layout()
        if self.kind == "csv":
            self._layout = layout(path)

    def __iter__(self) -> Iterator[Line]:
        """Yield every row. Raises FileUnreadableError when the file breaks off."""
        for row in read(self.path, self.kind, self._layout):
            line = _line(row)
            yield line._replace(cells=_unfolded(line.cells, self._whole))


def _kind(path: Path) -> Kind:
    try:
        return kind_of(path)
    except FileUnreadableError:
        known = ", ".join(SUFFIXES)
        raise FileUnreadableError(
            f"{path}: cannot tell what is in it by its name; rename it to end with {known}, "
            "or unpack it, or save it as one of these"
        ) from None


def _line(row: Row) -> Line:
    if row.fault:
        return Line(row.number, {}, row.fault)
    if row.cells is not None:
        return Line(row.number, {name: _cell(cell) for name, cell in row.cells.items()})
    try:
        read = orjson.loads(row.raw)
    except orjson.JSONDecodeError as error:
        return Line(row.number, {}, f"not JSON: {error}")
    if not isinstance(read, dict):
        return Line(row.number, {}, "not a JSON object: each line is to be one (JSON Lines)")
    return Line(row.number, dict(_flat(read)))


def _flat(cells: dict[str, object], under: str = "") -> Iterator[tuple[str, Cell]]:
    """Yield the cells of nested objects by dotted names."""
    for name, cell in cells.items():
        if isinstance(cell, dict):
            yield from _flat(cell, f"{under}{name}.")
        else:
            yield under + name, _cell(cell)


def _unfolded(cells: dict[str, Cell], whole: Collection[str | None]) -> dict[str, Cell]:
    """Return the cells, an object or a list of numbers that stands in one as cells of their own."""
    if not any(isinstance(cell, str) and cell[0] in "{[" for cell in cells.values()):
        return cells
    unfolded: dict[str, Cell] = {}
    for name, cell in cells.items():
        inner = None if name in whole or not isinstance(cell, str) else _inner(name, cell)
        unfolded |= {name: cell} if inner is None else inner
    return unfolded


def _inner(name: str, cell: str) -> dict[str, Cell] | None:
    if cell[0] not in "{[":
        return None
    try:
        read = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return None
    if isinstance(read, dict):
        return _unfolded(dict(_flat(read, f"{name}.")), ())
    if read and all(type(one) in (int, float) for one in read):
        return {f"{name}.{place}": one for place, one in enumerate(read)}
    return None


def _cell(cell: object) -> Cell:
    """Return a cell as a number, truth, text or nothing; other things as their text."""
    if isinstance(cell, str):
        text = cell.strip()
        if text[:1].isdecimal():  # the usual case: no way to write nothing begins so
            return text
        return None if text.casefold() in MISSING else text
    if cell is None or isinstance(cell, bool):
        return cell
    if isinstance(cell, (int, float)):
        return None if isinstance(cell, float) and not isfinite(cell) else cell
    return orjson.dumps(cell, default=str, option=orjson.OPT_NAIVE_UTC).decode().strip('"')
