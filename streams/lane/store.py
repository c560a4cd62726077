"""Where a partition's state is held; the law: contents and stamp change together.

A store's stamp says how far it has come on its changelog and whose writes it holds.
A store is behind its changelog or level with it, never ahead: what is not written
there is not put here. So a store can be lost, kept or copied at any time, and what
is missing is read from the changelog from the stamp's position on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple, Protocol

PORTION = 500  # customers at a time, where all are gone through

Changes = Mapping[bytes, bytes | None]  # None forgets a key, empty values stay


class Stamp(NamedTuple):
    """How far a store is: all records before `position` are in it, the newest of `epoch`."""

    position: int = 0  # offset on the changelog
    epoch: int = 0  # of the newest owner whose writes it holds; 0: of nobody


class StoresError(Exception):
    """The stores cannot be used; the message says what to do."""


class Readable(Protocol):
    """Values by key."""

    def get(self, key: bytes, /) -> bytes | None:
        """Return a key's value, or None. Empty values are values."""


class Store(Protocol):
    """One partition's state: its contents by key, and its stamp."""

    stamp: Stamp

    @property
    def contents(self) -> Mapping[bytes, bytes]:
        """The contents, to be read only."""

    async def ahead(self, keys: Iterable[bytes | None]) -> Readable:
        """Return the contents, those keys in memory already: reading them then never waits."""

    def apply(self, changes: Changes, stamp: Stamp) -> None:
        """Change contents and stamp, both or neither."""

    def portions(self, size: int = PORTION) -> Iterator[Collection[tuple[bytes, bytes]]]:
        """Yield all there is, some at a time; between two of them the store may change."""

    def clear(self) -> None:
        """Forget everything: the stamp is that of a new store."""

    def close(self) -> None:
        """Let go of it; what is on disk stays."""


class Stores(Protocol):
    """Opens stores; the ones of one worker."""

    async def prepare(self, brokers: str, topics: Collection[str]) -> None:
        """Make ready, before the first one is opened, for these changelogs (full names)."""

    def open(self, topic: str, partition: int) -> Store:
        """Return the store of a changelog's partition, which is not open yet."""

    def sweep(self) -> None:
        """Throw away what nobody has had open for long."""


class MemoryStore:
    """State in a dict: fastest, and read from the changelog at each start."""

    __slots__ = ("_values", "stamp")

    def __init__(self, values: dict[bytes, bytes] | None = None, stamp: Stamp = Stamp()) -> None:  # noqa: B008
        self._values = {} if values is None else values
        self.stamp = stamp

    @property
    def contents(self) -> Mapping[bytes, bytes]:
        """The contents, to be read only."""
        return self._values

    async def ahead(self, keys: Iterable[bytes | None]) -> Readable:
        """Return the contents: all of it is in memory."""
        return self._values

    def apply(self, changes: Changes, stamp: Stamp) -> None:
        """Change contents and stamp."""
        for key, value in changes.items():
            if value is None:
                self._values.pop(key, None)
            else:
                self._values[key] = value
        self.stamp = stamp

    def portions(self, size: int = PORTION) -> Iterator[Collection[tuple[bytes, bytes]]]:
        """Yield all there is, some at a time, each as it is by then."""
        keys = iter(list(self._values))
        while some := list(islice(keys, size)):
            yield [(key, self._values[key]) for key in some if key in self._values]

    def clear(self) -> None:
        """Forget everything."""
        self._values = {}
        self.stamp = Stamp()

    def close(self) -> None:
        """Do nothing: memory is given back when nobody has the store any more."""


class MemoryStores:
    """Stores that a process has for itself."""

    async def prepare(self, brokers: str, topics: Collection[str]) -> None:
        """Do nothing: there is nothing that an earlier process left."""

    def open(self, topic: str, partition: int) -> Store:
        """Return an empty store."""
        return MemoryStore()

    def sweep(self) -> None:
        """Do nothing: nothing is left behind."""
