"""Drafts: each row of a file as the message it will be, and what the core says of it.

A row's id is a digest of all rows up to it. So the same file gives the same ids,
a file that has grown gives its old rows the ids they had, and two equal rows of
one file are two events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Literal, NamedTuple

import orjson

from infra.files.errors import FileUnreadableError
from infra.files.mapping import Mapping
from infra.files.rows import Kind, Row, extent, read
from models.errors import Reason, TouchpointRejectedError
from models.events import Touchpoint, Wire, parse
from models.identity import identify
from models.identity_rules import SHIPPED, Rules

Format = Literal["native", "segment", "cloudevents"]
_ID_FIELD = {"native": "event_id", "segment": "messageId", "cloudevents": "id"}


class Draft(NamedTuple):
    """One row, ready to send, or the reason why it never will be."""

    row: Row
    digest: str  # of every row up to this one, 32 hex characters
    value: bytes
    touchpoint: Touchpoint | None
    rejected: TouchpointRejectedError | None


@dataclass(frozen=True, slots=True)
class Source:
    """A file and how to read it. `name` says on each event where it came from."""

    path: Path
    kind: Kind
    name: str
    format: Format = "native"
    mapping: Mapping | None = None
    rules: Rules = SHIPPED

    def __post_init__(self) -> None:
        """Refuse what cannot work before anything is read."""
        if not self.path.is_file():
            raise FileUnreadableError(f"{self.path}: no such file")
        if self.kind == "csv" and self.mapping is None:
            raise FileUnreadableError(
                f"{self.path}: a table needs --mapping FILE.toml, which says what its columns mean"
            )
        if self.mapping is not None and (self.kind == "jsonl" or self.format != "native"):
            raise FileUnreadableError(f"{self.path}: a mapping is for CSV and Parquet tables")

    @property
    def extent(self) -> int:
        """How much there is to read, in the unit of `Row.done`."""
        return extent(self.path, self.kind)

    def rows(self) -> Iterator[tuple[Row, str]]:
        """Yield each row with its id. Raises FileUnreadableError when it is no such file."""
        layout = (self.mapping or Mapping()).layout
        chain = b""
        for row in read(self.path, self.kind, layout):
            chain = blake2b(chain + row.raw, digest_size=16).digest()
            yield row, chain.hex()

    def draft(self, row: Row, digest: str, received_ms: int) -> Draft:
        """Lay a row out as its message, with the core's verdict.

        Raises FileUnreadableError when the mapping does not fit the file.
        """
        value = row.raw
        try:
            value = self._value(row, digest)
            # A file is a backfill, whatever time it turns out to reach.
            wire = Wire(self.format, received_ms, self.name, observed_until_ms=received_ms)
            return Draft(row, digest, value, identify(parse(value, wire), "", -1, self.rules), None)
        except TouchpointRejectedError as rejected:
            return Draft(row, digest, value, None, rejected)

    def _value(self, row: Row, digest: str) -> bytes:
        if row.fault:
            raise TouchpointRejectedError(Reason.BAD_FIELD, row.fault)
        if row.cells is None:
            return _named(row.raw, _ID_FIELD[self.format], digest)
        event = (
            _stated(row.cells)
            if self.mapping is None
            else self.mapping.event_of({**row.cells, "@row": digest})
        )
        assert isinstance(event, dict)
        return orjson.dumps({"event_id": digest, **event}, default=str, option=orjson.OPT_NAIVE_UTC)


def _named(line: bytes, field: str, digest: str) -> bytes:
    """Give a line of JSON an id when it has none; all else stays as it was written."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line  # the core says what is wrong with it
    if not isinstance(event, dict) or not event or event.get(field):
        return line
    if field in event:  # there, and empty
        return orjson.dumps(event | {field: digest})
    return b'{"%b":"%b",%b' % (field.encode(), digest.encode(), line[1:])


def _stated(cell: object) -> object:
    """Leave out what a Parquet row does not state: a struct's empty places."""
    if isinstance(cell, dict):
        return {name: _stated(part) for name, part in cell.items() if part is not None}
    return [_stated(part) for part in cell] if isinstance(cell, list) else cell
