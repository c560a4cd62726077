"""The rows of a file, one after the other, whatever it is written in.

Nothing is held but the row at hand, so a file may be larger than memory. The
same file gives the same rows with the same numbers.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import pyarrow
import pyarrow.parquet

from infra.files.errors import FileUnreadableError
from infra.files.mapping import Layout

Kind = Literal["jsonl", "csv", "parquet"]
LONGEST_LINE = 8 * 1024 * 1024  # far above what any event may have: beyond it, no JSON Lines
SUFFIXES: dict[str, Kind] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
}


class Row(NamedTuple):
    """One row. `number` is its line (JSON Lines, CSV) or its place from 1 (Parquet)."""

    number: int
    raw: bytes  # what stands in the file, or its cells laid out the same way every time
    cells: dict[str, object] | None  # None: a line of JSON, to be read as it is
    done: int  # how far into the file this row reaches, in the units of `extent`
    fault: str = ""  # why it is no row of this table; the rest of the file still is


def kind_of(path: Path) -> Kind:
    """Tell a file's kind by its name. Raises FileUnreadableError on an unknown one."""
    name = path.with_suffix("") if path.suffix == ".gz" else path
    try:
        return SUFFIXES[name.suffix.lower()]
    except KeyError:
        known = ", ".join(SUFFIXES)
        raise FileUnreadableError(
            f"{path}: cannot tell what is in it by its name ({known}); say it with --format"
        ) from None


def extent(path: Path, kind: Kind) -> int:
    """Say how much there is to read: rows of a Parquet file, else bytes on disk."""
    if kind != "parquet":
        return path.stat().st_size
    return int(_parquet(path).metadata.num_rows)


def read(path: Path, kind: Kind, layout: Layout) -> Iterator[Row]:
    """Yield the rows in order. Raises FileUnreadableError when it is no such file."""
    try:
        match kind:
            case "jsonl":
                yield from _lines(path)
            case "csv":
                yield from _cells(path, layout)
            case "parquet":
                yield from _records(path)
    except (OSError, EOFError, UnicodeError, csv.Error, pyarrow.ArrowException) as error:
        raise FileUnreadableError(f"{path}: {error}") from error


def _lines(path: Path) -> Iterator[Row]:
    with path.open("rb") as disk:
        file = _unzipped(path, disk)
        number = 0
        while line := file.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise FileUnreadableError(
                    f"{path}: line {number} is longer than {LONGEST_LINE >> 20} MiB; "
                    "one event a line is expected"
                )
            if stripped := line.strip():
                yield Row(number, stripped, None, disk.tell())


def _cells(path: Path, layout: Layout) -> Iterator[Row]:
    with path.open("rb") as disk:
        text = _decoded(_unzipped(path, disk), layout.encoding)
        table = _Table(text, layout)
        names = list(layout.names) or next(table, [])
        for cells in table:
            if not cells:
                continue
            raw = layout.joint.join(cells).encode()
            fault = _uneven(len(cells), names)
            known = None if fault else dict[str, object](zip(names, cells, strict=True))
            yield Row(table.line, raw, known, disk.tell(), fault)


def _uneven(cells: int, names: list[str]) -> str:
    return "" if cells == len(names) else f"{cells} cells in a table of {len(names)} columns"


class _Table:
    """Lines as lists of cells, with the number of the line read last."""

    def __init__(self, lines: Iterator[str], layout: Layout) -> None:
        self._reader = (
            None
            if layout.delimiter == "whitespace"
            else csv.reader(lines, delimiter=layout.delimiter, quotechar=layout.quote, strict=True)
        )
        self._lines = lines
        self._count = 0

    @property
    def line(self) -> int:
        return self._count if self._reader is None else self._reader.line_num

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        if self._reader is not None:
            return next(self._reader)
        self._count += 1
        return next(self._lines).split()


def _records(path: Path) -> Iterator[Row]:
    number = 0
    for batch in _parquet(path).iter_batches(batch_size=4096):
        for cells in batch.to_pylist():
            number += 1
            raw = json.dumps(cells, default=str, ensure_ascii=False, separators=(",", ":"))
            yield Row(number, raw.encode(), cells, number)


def _parquet(path: Path) -> pyarrow.parquet.ParquetFile:
    try:
        return pyarrow.parquet.ParquetFile(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise FileUnreadableError(f"{path}: not a Parquet file ({error})") from error


def _unzipped(path: Path, disk: BinaryIO) -> BinaryIO:
    return gzip.GzipFile(fileobj=disk) if path.suffix == ".gz" else disk  # type: ignore[return-value]


def _decoded(file: BinaryIO, encoding: str) -> Iterator[str]:
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    while line := text.readline(LONGEST_LINE):
        yield line
