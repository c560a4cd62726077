"""The rows of a file as named cells, whatever it is written in.

A row that cannot be read is told by its number and why, and the rest of the file still is.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import NamedTuple

import orjson

from infra.files.errors import FileUnreadableError
from infra.files.mapping import Layout
from infra.files.rows import SUFFIXES, Kind, Row, kind_of, read

MISSING = frozenset(
    ("", "na", "n/a", "nan", "null", "none", "?", "\\n", "<na>",
     "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
)  # fmt: skip
UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # how such a text begins
SNIFFED = 64 * 1024  # characters from which the separator is told
_SEPARATORS = ",;\t|"

Cell = float | bool | str | None


class Line(NamedTuple):
    """One row: `number` as in `infra.files.rows`; without cells, `fault` says why."""

    number: int
    cells: dict[str, Cell]
    fault: str = ""


class Table:
    """A file of rows, to be read any number of times."""

    def __init__(self, path: Path) -> None:
        """Refuse what cannot be read at all. Raises FileUnreadableError."""
        if not path.is_file():
            raise FileUnreadableError(f"{path}: no such file")
        self.path = path
        self.kind: Kind = _kind(path)
        self._layout = Layout()
        if self.kind == "csv":
            self._layout = _layout(path)

    def __iter__(self) -> Iterator[Line]:
        """Yield every row. Raises FileUnreadableError when the file breaks off."""
        for row in read(self.path, self.kind, self._layout):
            yield _line(row)


def _kind(path: Path) -> Kind:
    try:
        return kind_of(path)
    except FileUnreadableError:
        known = ", ".join(SUFFIXES)
        raise FileUnreadableError(
            f"{path}: cannot tell what is in it by its name; rename it to end with {known}"
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


def _layout(path: Path) -> Layout:
    """Tell how a text table is laid out by its beginning."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            begins = _begins(path, encoding)
        except UnicodeDecodeError:
            continue
        except (OSError, EOFError) as error:
            raise FileUnreadableError(f"{path}: {error}") from error
        if encoding == "cp1252" and "".join(begins[:1]).encode(encoding)[:2] in UTF_16:
            raise FileUnreadableError(f"{path}: UTF-16 text; write it as UTF-8")
        separator = _separator(begins)
        _header(path, begins, separator)
        return Layout(delimiter=separator, encoding=encoding)
    raise FileUnreadableError(f"{path}: neither UTF-8 nor Windows-1252 text; write it as UTF-8")


def _header(path: Path, lines: list[str], separator: str) -> None:
    """Refuse a table of which two columns have one name. Raises FileUnreadableError."""
    if separator == "whitespace":
        names = lines[0].split()
    else:
        names = next(csv.reader(lines, delimiter=separator), [])
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FileUnreadableError(f"{path}: more than one column is named {twice[0]!r}; rename it")
    if any("." in name for name in names) and all(map(_is_number, names)):
        raise FileUnreadableError(
            f"{path}: the first line is to name the columns, and is numbers; write names above it"
        )


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _begins(path: Path, encoding: str) -> list[str]:
    way = gzip.open if path.suffix == ".gz" else open
    with way(path, "rt", encoding=encoding) as text:
        return [line for line in islice(text, 50) if len(line) < SNIFFED]


def _separator(lines: list[str]) -> str:
    """Return the separator that gives the header and the first rows equally many cells."""
    found: tuple[int, str] = (1, ",")
    for separator in _SEPARATORS:
        try:
            counts = [len(cells) for cells in csv.reader(lines, delimiter=separator) if cells]
        except csv.Error:
            continue
        even = counts and counts.count(counts[0]) >= 0.9 * len(counts)
        if even and counts[0] > found[0]:
            found = counts[0], separator
    if (
        found[0] == 1
        and lines
        and len(lines[0].split()) > 1
        and not any(separator in lines[0] for separator in _SEPARATORS)
    ):
        return "whitespace"
    return found[1]
