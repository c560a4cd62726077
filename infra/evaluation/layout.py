"""How a text table is laid out, told by looking at it: its encoding, and what parts its cells."""

from __future__ import annotations

import csv
import gzip
import re
from itertools import islice
from pathlib import Path

from infra.files.errors import FileUnreadableError
from infra.files.mapping import Layout

UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # how such a text begins
SNIFFED = 64 * 1024  # characters of a line from which the separator is told
_SEPARATORS = ",;\t|"
_CHUNK = 1 << 20  # characters
_HANGUL = re.compile("[가-힣]")


def layout(path: Path) -> Layout:
    """Tell how a text table is laid out. Raises FileUnreadableError, with what to do."""
    for encoding in ("utf-8-sig", "cp949", "cp1252"):
        try:
            begins = _begins(path, encoding)
            if encoding == "cp949" and not _HANGUL.search("".join(begins)):
                continue
            _decoded(path, encoding)
        except UnicodeDecodeError:
            continue
        except (OSError, EOFError) as error:
            raise FileUnreadableError(f"{path}: {error}") from error
        if encoding == "cp1252" and "".join(begins[:1]).encode(encoding)[:2] in UTF_16:
            raise FileUnreadableError(f"{path}: UTF-16 text; write it as UTF-8")
        separator = _separator(begins)
        _header(path, begins, separator)
        return Layout(delimiter=separator, encoding=encoding)
    raise FileUnreadableError(f"{path}: no UTF-8, Windows-1252 or CP949 text; write it as UTF-8")


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
    below = _separator(lines[1:]) if len(names) == 1 else separator
    wide = len(next(csv.reader(lines[1:], delimiter=below), [])) if below in _SEPARATORS else 1
    excels = lines[:1] and lines[0].casefold().startswith("sep=")
    if excels or (len(names) == 1 and wide > 1):
        raise FileUnreadableError(
            f"{path}: the first line is to name the columns, and is {lines[0].strip()[:40]!r} "
            "above rows of other cells; remove what stands above the names"
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


def _decoded(path: Path, encoding: str) -> None:
    """Read the text to its end: only that tells. Raises UnicodeDecodeError."""
    way = gzip.open if path.suffix == ".gz" else open
    with way(path, "rt", encoding=encoding) as text:
        while text.read(_CHUNK):
            pass


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
        and sum(len(line.split()) == len(lines[0].split()) for line in lines) > len(lines) / 2
    ):
        return "whitespace"
    return found[1]
