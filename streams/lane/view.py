"""What a writer sees of a partition's state: what is durable, and its own changes.

Nobody else sees the changes until the broker has them.
"""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import Protocol

from streams.lane.store import Readable

NOTHING: Readable = MappingProxyType({})


class Table(Protocol):
    """What a view came from."""

    async def store(self, view: View) -> bool:
        """Make the view's changes durable, then visible. False: not this worker's."""


class View:
    """One partition's state in the hands of its one writer.

    `offset` is the source offset that the changes follow from (-1: none), `tenure`
    the span of ownership in which it was opened. A plain `View({…})` is one for tests.
    """

    __slots__ = ("_durable", "_turn", "changes", "offset", "partition", "table", "tenure")

    def __init__(
        self,
        durable: Readable = NOTHING,
        *,
        table: Table | None = None,
        partition: int = 0,
        tenure: int = 0,
        offset: int = -1,
        turn: asyncio.Lock | None = None,
    ) -> None:
        self._durable = durable
        self._turn = turn
        self.table = table
        self.partition = partition
        self.tenure = tenure
        self.offset = offset
        self.changes: dict[bytes, bytes | None] = {}

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key, or None. Empty values are values."""
        if key in self.changes:
            return self.changes[key]
        return self._durable.get(key)

    def put(self, key: bytes, value: bytes | None) -> None:
        """Set a key, or forget it (None)."""
        self.changes[key] = value

    def release(self) -> None:
        """Let the partition's next writer in. Once only."""
        if self._turn is not None:
            self._turn.release()
            self._turn = None
