"""State from its changelog, in bulk; the law: the newest owner's write wins.

Each changelog record carries a mark: the owner's epoch, and the source offset
that led to it. Epochs grow with every owner, so the late write of a worker that
has lost its partition (physically last, logically stale) is told from the truth.
Reading goes by position, up to the end as it was at the start: compaction and
transaction markers at the end hold nothing up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from struct import Struct
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from models.topics import COMPACTION_LAG
from streams.lane.store import Stamp, Store
from streams.lane.unpack import is_error, taken

MARK = "mark"
_mark = Struct(">Qq")  # epoch in ms since 1970, source offset (-1: none)
FETCH_BYTES = 4 * 1024 * 1024
PORTION = 10_000  # records at a time, so that the event loop never stands still for long
WAIT = 0.2  # seconds for more to come, before it is asked whether it is still wanted
LAG_MS = int(COMPACTION_LAG.total_seconds() * 1000)

Place = tuple[str, int]  # full topic name, partition


def mark(epoch: int, offset: int) -> bytes:
    """Return the header that says who wrote a record, and after which source offset."""
    return _mark.pack(epoch, offset)


def epoch_of(headers: Iterable[tuple[str, bytes]]) -> int:
    """Return the epoch that wrote a record; 0 for a record without a mark."""
    for name, value in headers:
        if name == MARK and len(value) == _mark.size:
            return int(_mark.unpack(value)[0])
    return 0


class Copy:
    """A partition's state in a store, brought up to date as its changelog tells it."""

    __slots__ = ("_deleted", "_epoch", "_headers", "overtaken", "store")

    def __init__(self, store: Store) -> None:
        self.store = store
        self.overtaken: set[bytes] = set()  # keys whose last record is a stale one
        self._deleted: set[bytes] = set()  # as far as was read
        # Of the record before: records of one batch, and so of one owner, come together.
        self._headers: Any = None
        self._epoch = 0

    def take(self, records: Iterable[Any], position: int) -> None:
        """Take in changelog records, in log order; `position` is the offset after them."""
        changes: dict[bytes, bytes | None] = {}
        overtaken, deleted = self.overtaken, self._deleted
        newest = self.store.stamp.epoch
        for record in records:
            key, value = record.key, record.value
            if record.headers != self._headers:
                self._headers = record.headers
                self._epoch = epoch_of(record.headers)
            if self._epoch < newest and self._loses(record, changes):
                overtaken.add(key)
                continue
            newest = max(newest, self._epoch)
            changes[key] = value
            if overtaken:
                overtaken.discard(key)
            if value is None:
                deleted.add(key)
            elif deleted:
                deleted.discard(key)
        self.store.apply(changes, Stamp(position, newest))

    def _loses(self, record: Any, changes: Mapping[bytes, bytes | None]) -> bool:
        """Say whether a write that came after a newer owner's first one is to be forgotten.

        The newer owner knows nothing of it. Only where compaction may have left
        nothing else of a key by now is it better than nothing.
        """
        young = time.time() * 1000 - record.timestamp < LAG_MS
        key = record.key
        return (
            young
            or key in changes
            or key in self._deleted
            or self.store.contents.get(key) is not None
        )


class Reader:
    """Reads changelogs into copies, each from where its copy is."""

    def __init__(
        self, brokers: str, copies: Mapping[Place, Copy], *, portion: int = PORTION
    ) -> None:
        self._copies = {TopicPartition(*place): copy for place, copy in copies.items()}
        self._portion = portion
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=brokers,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_BYTES,
        )

    async def start(self) -> dict[TopicPartition, int]:
        """Connect, and return where each changelog ends. Raises KafkaError.

        A copy that cannot be of its changelog, for it is beyond its borders, is emptied.
        """
        await self._consumer.start()
        places = list(self._copies)
        self._consumer.assign(places)
        begins = await self._consumer.beginning_offsets(places)
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(places)
        for place, copy in self._copies.items():
            position = copy.store.stamp.position
            if position and not begins[place] <= position <= ends[place]:
                copy.store.clear()
            self._consumer.seek(place, copy.store.stamp.position or begins[place])
        return ends

    async def step(self) -> None:
        """Take in what has come; when nothing has, wait a moment for it."""
        found = await arrived(self._consumer._fetcher, self._portion)
        for place, records in found.items():
            self._copies[place].take(records, await self._consumer.position(place))

    async def reached(self, place: TopicPartition, end: int) -> bool:
        """Say whether all before `end` was taken in."""
        position = await self._consumer.position(place)
        if position < end:
            return False
        copy = self._copies[place]
        if position > copy.store.stamp.position:  # what is no record was read as well
            copy.take((), position)
        return True

    def pause(self, place: TopicPartition) -> None:
        """Read no more of a changelog."""
        self._consumer.pause(place)

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()


async def fetched(fetcher: Any, limit: int) -> dict[TopicPartition, list[Any]]:
    """Return what a fetcher holds, its records as they were parsed: no object more for each."""
    found: dict[TopicPartition, list[Any]] = {}
    for place, result in list(fetcher._records.items()):
        if not limit or (found and is_error(result)):
            break  # an error is told at the next call, so that nothing taken is lost
        if records := await taken(fetcher, place, result, limit):
            found[place] = records
            limit -= len(records)
    return found


async def arrived(fetcher: Any, limit: int) -> dict[TopicPartition, list[Any]]:
    """Return what a fetcher holds, as `fetched`; when it holds nothing, wait a moment for it.

    Raises KafkaError when something keeps it from reading.
    """
    if found := await fetched(fetcher, limit):
        return found
    arrival = fetcher._create_fetch_waiter()
    done, _ = await asyncio.wait([arrival], timeout=WAIT)
    if not done:
        arrival.cancel()
        return {}
    arrival.result()  # raises what keeps it from reading
    return await fetched(fetcher, limit)


async def catch_up(brokers: str, copies: Mapping[Place, Copy], wanted: Callable[[], bool]) -> bool:
    """Bring copies level with their changelogs as these end now.

    False: `wanted` became false on the way. Raises KafkaError when the brokers do not answer.
    """
    if not copies:
        return True
    reader = Reader(brokers, copies)
    try:
        left = await reader.start()
        while True:
            for place, end in list(left.items()):
                if await reader.reached(place, end):
                    reader.pause(place)
                    del left[place]
            if not left:
                return True
            if not wanted():
                return False
            await reader.step()
            await asyncio.sleep(0)  # what is already fetched comes without a pause
    finally:
        await reader.stop()
