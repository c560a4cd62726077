"""Keyed state, by partition; the law: what is visible is on the changelog.

One writer at a time changes a partition: a batch, or an edit. What holds the values is
a store (`streams.lane.store`), which knows how far it is on the changelog.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

from models.topics import Topic
from streams.lane.batch import Batch
from streams.lane.fatal import die
from streams.lane.fence import Fence
from streams.lane.publisher import Publisher
from streams.lane.restore import MARK, Copy, Place, catch_up, mark
from streams.lane.store import Changes, MemoryStore, Stamp, Stores
from streams.lane.view import View

Hook = Callable[[int], None]


@dataclass(slots=True)
class Partition:
    """One owned partition's durable state."""

    copy: Copy
    epoch: int  # this owner's
    writer: asyncio.Lock = field(default_factory=asyncio.Lock)


class StateTable:
    """Keyed bytes, partitioned like `source`, kept on `changelog` (full topic names)."""

    def __init__(
        self,
        name: str,
        source: Topic,
        changelog: Topic,
        *,
        prefix: str,
        brokers: str,
        fence: Fence,
        publisher: Publisher,
        stores: Stores,
    ) -> None:
        self.name = name
        self.source = prefix + source.name
        self.changelog = prefix + changelog.name
        self._whole = changelog.whole
        self._brokers = brokers
        self._fence = fence
        self._publisher = publisher
        self._stores = stores
        self._partitions: dict[int, Partition] = {}
        self._copies: dict[int, Copy] = {}  # of what is not owned, their stores open
        self._recovered: list[Hook] = []
        self._revoked: list[Hook] = []

    async def open(self, batch: Batch) -> View:
        """Return the state for a batch; nobody else changes that partition until `complete`.

        What the batch's own keys have is in memory by then.
        """
        partition = self._partitions.get(batch.partition)
        if partition is None:  # lost meanwhile: the fence refuses the batch
            if self._fence.allows(batch.tenure, (self.source, batch.partition)):
                die(f"{self.name} has no state for {self.source}/{batch.partition}")
            return View(table=self, partition=batch.partition, tenure=batch.tenure)
        await partition.writer.acquire()
        try:
            durable = await partition.copy.store.ahead(record.key for record in batch)
        except BaseException:  # a cancelled read too: else nobody writes there any more
            partition.writer.release()
            raise
        return View(
            durable,
            table=self,
            partition=batch.partition,
            tenure=batch.tenure,
            offset=batch.last,
            turn=partition.writer,
        )

    @asynccontextmanager
    async def edit(self, partition: int) -> AsyncIterator[View]:
        """Change state outside a batch: `async with table.edit(p) as view: view.put(…)`.

        The changes are durable when the block has ended; they are dropped when it
        raises, or when the partition was lost meanwhile. Raises KeyError when this
        worker does not own the partition.
        """
        owned = self._partitions[partition]
        async with owned.writer:
            view = self._outside(owned, partition)
            yield view
            await self.store(view)

    async def write(self, partition: int, changes: Changes) -> bool:
        """Write outside a batch. False, and nothing is visible: the partition is not owned."""
        owned = self._partitions.get(partition)
        if owned is None:
            return False
        async with owned.writer:
            view = self._outside(owned, partition)
            view.changes.update(changes)
            return await self.store(view)

    def _outside(self, owned: Partition, partition: int) -> View:
        contents = owned.copy.store.contents
        return View(contents, table=self, partition=partition, tenure=self._fence.tenure)

    def partition(self, partition: int) -> Mapping[bytes, bytes]:
        """Return an owned partition's durable state. Raises KeyError when it is not owned."""
        return MappingProxyType(self._partitions[partition].copy.store.contents)

    async def scan(self, partition: int) -> AsyncIterator[Collection[tuple[bytes, bytes]]]:
        """Yield all of a partition, some keys at a time, each as it is by then.

        Others work between two of them. It ends early when the partition is lost.
        """
        owned = self._partitions.get(partition)
        if owned is None:
            return
        for portion in owned.copy.store.portions():
            yield portion
            await asyncio.sleep(0)
            if self._partitions.get(partition) is not owned:
                return

    def owned(self) -> set[int]:
        """Return the partitions that are owned and recovered."""
        return set(self._partitions)

    def copies(self) -> dict[int, int]:
        """Return the partitions that others own and of which a copy is kept here, how far each."""
        return {number: copy.store.stamp.position for number, copy in self._copies.items()}

    def on_recovered(self, hook: Hook) -> Hook:
        """Call `hook` with each partition that became owned, before its first batch."""
        self._recovered.append(hook)
        return hook

    def on_revoked(self, hook: Hook) -> Hook:
        """Call `hook` with each partition that is not owned any more."""
        self._revoked.append(hook)
        return hook

    async def store(self, view: View) -> bool:
        """Write a view's changes to the changelog, then make them visible. False: not ours.

        For `complete` and this module: the caller holds the partition.
        """
        owned = self._partitions.get(view.partition)
        if owned is None or not self._allows(view):
            return False
        if view.changes:
            after = await self._publish(view.partition, view.changes, owned.epoch, view.offset)
            if not self._allows(view):
                return False  # the log has them; whoever owns the partition reads them there
            if not self._show(owned, view.changes, after - len(view.changes), after):
                await self._cover(view.partition, owned, view.changes)
        return True

    def wanted(self) -> set[int]:
        """Return the partitions that the current assignment makes this table's."""
        return {number for topic, number in self._fence.places if topic == self.source}

    def begin(self) -> None:
        """Give up, telling the hooks, what somebody else has or may have had meanwhile."""
        kept = self.wanted() if self._fence.continuous else set()
        for number in sorted(set(self._partitions) - kept):
            self._copies[number] = self._partitions.pop(number).copy
            for hook in self._revoked:
                hook(number)

    def copy(self, number: int) -> Copy:
        """Return the copy of a partition that is not owned, as far as it has come."""
        if number not in self._copies:
            self._copies[number] = Copy(self._stores.open(self.changelog, number))
        return self._copies[number]

    async def adopt(self, numbers: Collection[int], now_ms: int) -> None:
        """Own partitions whose copies are level, and write again what a stale record covers."""
        tenure = self._fence.tenure
        for number in sorted(numbers):
            copy = self.copy(number)
            owned = Partition(copy, max(now_ms, copy.store.stamp.epoch + 1))
            await self._write_again(number, owned, copy.overtaken)
            if self._fence.tenure != tenure:
                return
            copy.overtaken.clear()
            self._partitions[number] = owned
            del self._copies[number]
            for hook in self._recovered:
                hook(number)

    async def retire(self, kept: Collection[int]) -> None:
        """Close the copies of all partitions but these."""
        for number in set(self._copies) - set(kept):
            await asyncio.to_thread(self._copies.pop(number).store.close)

    async def close(self) -> None:
        """Close every store: nothing is written any more."""
        for number in list(self._partitions):
            self._copies[number] = self._partitions.pop(number).copy
        await self.retire(())

    def _allows(self, view: View) -> bool:
        return self._fence.allows(view.tenure, (self.source, view.partition))

    def _show(self, owned: Partition, changes: Changes, first: int, after: int) -> bool:
        """Make visible what the changelog has at [first, after).

        False: somebody else wrote since our last write, see `_cover`.
        """
        before = owned.copy.store.stamp.position
        level = first == before
        owned.copy.store.apply(changes, Stamp(after if level else before, owned.epoch))
        return level

    async def _cover(self, number: int, owned: Partition, changes: Changes) -> None:
        """Read what came between our writes, and write again what it covers.

        It is the late write of an earlier owner, or else we are one ourselves.
        """
        store = owned.copy.store
        read = Copy(MemoryStore(stamp=Stamp(store.stamp.position, owned.epoch)))
        place: Place = (self.changelog, number)
        try:
            await catch_up(self._brokers, {place: read}, lambda: True)
        except Exception as error:
            die(f"cannot read the changelog {self.changelog}/{number}", error)
        found = read.store
        if found.stamp.epoch > owned.epoch:
            die(f"{self.changelog}/{number} has a newer owner")
        store.apply({}, Stamp(found.stamp.position, owned.epoch))
        theirs = found.contents.keys() - changes.keys()
        await self._write_again(number, owned, read.overtaken | theirs)

    async def _write_again(self, number: int, owned: Partition, keys: Collection[bytes]) -> None:
        """Put the truth after a stale record: compaction keeps the last record of a key."""
        if keys:
            again = {key: owned.copy.store.contents.get(key) for key in sorted(keys)}
            after = await self._publish(number, again, owned.epoch, -1)
            self._show(owned, {}, after - len(again), after)

    async def _publish(self, partition: int, changes: Changes, epoch: int, offset: int) -> int:
        """Write changes; return the offset after the last of them."""
        headers = ((MARK, mark(epoch, offset)),)
        rows = [(key, value, headers) for key, value in changes.items()]
        place = (self.changelog, partition)
        try:
            return (await self._publisher.write({place: rows}, whole=self._whole))[place]
        except Exception as error:
            die(f"cannot write the changelog {self.changelog}/{partition}", error)
