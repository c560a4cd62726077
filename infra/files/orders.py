"""The order in which a file's rows are sent: as they are written, or by time (`sorting`).

An order gives the same places every time it is asked, so that an import that was
stopped finds where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import time_ns
from typing import NamedTuple, Protocol

from infra.files.drafts import Draft, Source
from infra.files.rows import Row
from models.identity import primary


class Outgoing(NamedTuple):
    """One accepted row as it is sent."""

    digest: str  # names the row in the log
    source: Source
    key: bytes
    value: bytes

    @classmethod
    def of(cls, source: Source, draft: Draft) -> Outgoing:
        """Lay out an accepted draft."""
        assert draft.touchpoint is not None
        key = str(primary(draft.touchpoint.identifiers, source.rules)).encode()
        return cls(draft.digest, source, key, draft.value)


class Place(NamedTuple):
    """One place of an order."""

    number: int  # higher than those of all places before it
    mark: str  # of all that stands up to here: tells whether the order is still the same
    done: int  # how far this is, in the units of the order's `extent`
    made: Callable[[], Outgoing | None]  # None: the row was rejected


class Order(Protocol):
    """Rows in the order in which they are sent."""

    @property
    def path(self) -> Path:
        """What a checkpoint says it belongs to."""

    def places(self) -> Iterator[Place]:
        """Yield each place. Raises FileUnreadableError when the rows cannot be read."""


@dataclass(frozen=True, slots=True)
class AsWritten:
    """The rows of one file as they stand in it."""

    source: Source

    @property
    def path(self) -> Path:
        """The file's."""
        return self.source.path

    def places(self) -> Iterator[Place]:
        """Yield a place for each row."""
        for row, digest in self.source.rows():
            yield Place(row.number, digest, row.done, partial(self._made, row, digest))

    def _made(self, row: Row, digest: str) -> Outgoing | None:
        draft = self.source.draft(row, digest, time_ns() // 1_000_000)
        return None if draft.touchpoint is None else Outgoing.of(self.source, draft)
