"""Keyed state in memory, by partition; the law: what is visible is on the changelog.

One writer at a time changes a partition: a batch, or an edit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

from models.topics import Topic
from streams.lane.batch import Batch
from streams.lane.fatal import die
from streams.lane.fence import Fence
from streams.lane.publisher import Publisher
from streams.lane.restore import MARK, Restored, mark
from streams.lane.view import View

Hook = Callable[[int], None]


@dataclass(slots=True)
class Partition:
    """One owned partition's durable state."""

    values: dict[bytes, bytes]
    epoch: int
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
        fence: Fence,
        publisher: Publisher,
    ) -> None:
        self.name = name
        self.source = prefix + source.name
        self.changelog = prefix + changelog.name
        self._fence = fence
        self._publisher = publisher
        self._partitions: dict[int, Partition] = {}
        self._recovered: list[Hook] = []
        self._revoked: list[Hook] = []

    async def open(self, batch: Batch) -> View:
        """Return the state for a batch; nobody else changes that partition until `complete`."""
        partition = self._partitions.get(batch.partition)
        if partition is None:  # lost meanwhile: the fence refuses the batch
            if self._fence.allows(batch.tenure, (self.source, batch.partition)):
                die(f"{self.name} has no state for {self.source}/{batch.partition}")
            return View(table=self, partition=batch.partition, tenure=batch.tenure)
        await partition.writer.acquire()
        return View(
            partition.values,
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
            view = View(owned.values, table=self, partition=partition, tenure=self._fence.tenure)
            yield view
            await self.store(view)

    async def write(self, partition: int, changes: Mapping[bytes, bytes | None]) -> bool:
        """Write outside a batch. False, and nothing is visible: the partition is not owned."""
        owned = self._partitions.get(partition)
        if owned is None:
            return False
        async with owned.writer:
            view = View(owned.values, table=self, partition=partition, tenure=self._fence.tenure)
            view.changes.update(changes)
            return await self.store(view)

    def partition(self, partition: int) -> Mapping[bytes, bytes]:
        """Return an owned partition's durable state. Raises KeyError when it is not owned."""
        return MappingProxyType(self._partitions[partition].values)

    def owned(self) -> set[int]:
        """Return the partitions that are owned and recovered."""
        return set(self._partitions)

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
            await self._publish(view.partition, view.changes, owned.epoch, view.offset)
            if not self._allows(view):
                return False  # the log has them; whoever owns the partition reads them there
            apply(owned.values, view.changes)
        return True

    def wanted(self) -> set[int]:
        """Return the partitions that the current assignment makes this table's."""
        return {number for topic, number in self._fence.places if topic == self.source}

    def begin(self) -> None:
        """Give up, telling the hooks, what somebody else has or may have had meanwhile."""
        kept = self.wanted() if self._fence.continuous else set()
        for number in sorted(set(self._partitions) - kept):
            del self._partitions[number]
            for hook in self._revoked:
                hook(number)

    async def adopt(self, restored: Mapping[int, Restored], now_ms: int) -> None:
        """Own partitions as restored, and write again what a stale record covers."""
        tenure = self._fence.tenure
        for number, state in sorted(restored.items()):
            epoch = max(now_ms, state.epoch + 1)
            again = {key: state.values.get(key) for key in sorted(state.overtaken)}
            if again:
                # Compaction keeps the last record of a key: it must be the true one.
                await self._publish(number, again, epoch, -1)
            if self._fence.tenure != tenure:
                return
            self._partitions[number] = Partition(state.values, epoch)
            for hook in self._recovered:
                hook(number)

    def _allows(self, view: View) -> bool:
        return self._fence.allows(view.tenure, (self.source, view.partition))

    async def _publish(
        self, partition: int, changes: Mapping[bytes, bytes | None], epoch: int, offset: int
    ) -> None:
        headers = ((MARK, mark(epoch, offset)),)
        rows = [(key, value, headers) for key, value in changes.items()]
        try:
            await self._publisher.write({(self.changelog, partition): rows})
        except Exception as error:
            die(f"cannot write the changelog {self.changelog}/{partition}", error)


def apply(values: dict[bytes, bytes], changes: Mapping[bytes, bytes | None]) -> None:
    """Make changes visible: None forgets a key, empty values stay."""
    for key, value in changes.items():
        if value is None:
            values.pop(key, None)
        else:
            values[key] = value
