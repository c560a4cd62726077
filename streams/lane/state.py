"""Keyed state in memory, by partition; the law: what is visible is on the changelog.

A batch works on a `View`: it sees its own changes, nobody else does until the
broker has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from models.topics import Topic
from streams.lane.batch import Batch


class View:
    """One partition's state as one batch sees it: what is durable, and its own changes."""

    __slots__ = ("_durable", "changes", "partition")

    def __init__(self, partition: int, durable: Mapping[bytes, bytes]) -> None:
        self.partition = partition
        self._durable = durable
        self.changes: dict[bytes, bytes | None] = {}

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key, or None. Empty values are values."""
        if key in self.changes:
            return self.changes[key]
        return self._durable.get(key)

    def put(self, key: bytes, value: bytes | None) -> None:
        """Set a key, or forget it (None)."""
        self.changes[key] = value


class StateTable:
    """Keyed bytes, partitioned like a source topic, kept on a changelog topic."""

    def __init__(self, name: str, source: Topic, changelog: Topic) -> None:
        self.name = name
        self.source = source
        self.changelog = changelog

    async def open(self, batch: Batch) -> View:
        """Return the state for a batch; nobody else changes that partition until `complete`."""
        raise NotImplementedError

    def edit(self, partition: int) -> AbstractAsyncContextManager[View]:
        """Change state outside a batch: `async with table.edit(p) as view: view.put(…)`."""
        raise NotImplementedError

    async def write(self, partition: int, changes: Mapping[bytes, bytes | None]) -> bool:
        """Write outside a batch. False (and nothing written): this worker does not own it."""
        raise NotImplementedError

    def partition(self, partition: int) -> Mapping[bytes, bytes]:
        """Return an owned partition's durable state. Raises KeyError when it is not owned."""
        raise NotImplementedError

    def owned(self) -> set[int]:
        """Return the partitions that are owned and recovered."""
        raise NotImplementedError

    def on_recovered(self, hook: Callable[[int], None]) -> Callable[[int], None]:
        """Call `hook` with each partition that became owned, before its first batch."""
        raise NotImplementedError

    def on_revoked(self, hook: Callable[[int], None]) -> Callable[[int], None]:
        """Call `hook` with each partition that is not owned any more."""
        raise NotImplementedError
