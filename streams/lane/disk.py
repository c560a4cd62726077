"""State on disk, an LMDB a partition: starts again from where it was, and need not fit in memory.

Contents and stamp are written in one transaction and never waited for: a killed
process loses nothing, for the kernel has it. After the machine itself went down
that is not certain, so a store that was not closed counts only in the boot in which
it was written; its changelog gives it anew.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import shutil
import threading
import time
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import IO

import lmdb
import msgspec
from kafka import KafkaAdminClient

from streams.lane.store import PORTION, Changes, Readable, Stamp, StoresError

KEPT = 86_400.0  # seconds
LARGEST = 64 * 1024**3  # bytes of one partition: address space set aside, not memory
STAMP = b"stamp"
BOOT = Path("/proc/sys/kernel/random/boot_id")

_log = logging.getLogger(__name__)


class _Written(msgspec.Struct, array_like=True):
    """The stamp as it is on disk, and what it is worth."""

    position: int
    epoch: int
    topic: str  # the changelog's id: one made anew under the same name has another
    boot: str  # in which it was written
    closed: bool = False  # all of it is on the disk itself


_encode, _decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(_Written).decode


class DiskStore(Mapping[bytes, bytes]):
    """State in an LMDB environment in `folder`. Keys have 1 to 511 bytes. For one process.

    `topic` is the id of the changelog that it is a copy of: contents of another are thrown away.
    A closed one reads as empty: who still asks has lost the partition, and writes nothing.
    """

    def __init__(self, folder: Path, topic: str) -> None:
        self.folder = folder
        self.stamp = Stamp()
        self._topic = topic
        self._boot = boot()
        self.closed = False
        self._reading = threading.Lock()  # it is not closed under a thread that reads
        try:
            self._open()
            written = self._written()
        except lmdb.Error as error:
            _log.warning("%s cannot be read (%s): it is made anew", folder, error)
            self.clear()
            return
        if written is not None and self._counts(written):
            self.stamp = Stamp(written.position, written.epoch)
            self._begin()
        else:
            self.clear()

    def _counts(self, written: _Written) -> bool:
        whole = written.closed or bool(self._boot and written.boot == self._boot)
        return whole and written.topic == self._topic

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._env = lmdb.open(
            str(self.folder),
            map_size=LARGEST,
            max_dbs=2,
            sync=False,
            metasync=False,
            readahead=False,  # keys come in no order
            meminit=False,
        )
        self._state = self._env.open_db(b"state")
        self._meta = self._env.open_db(b"meta")

    def _begin(self) -> None:
        """Have the disk itself know that it is open: should the machine go down, it is void."""
        with self._env.begin(write=True, db=self._meta) as writing:
            writing.put(STAMP, self._sealed(self.stamp, closed=False))
        self._env.sync(True)

    def _written(self) -> _Written | None:
        with self._env.begin(db=self._meta) as reading:
            value = reading.get(STAMP)
        try:
            return None if value is None else _decode(value)
        except msgspec.MsgspecError as error:
            raise lmdb.InvalidError(str(error)) from error

    @property
    def contents(self) -> Mapping[bytes, bytes]:
        """The contents, to be read only."""
        return self

    def __getitem__(self, key: bytes) -> bytes:
        value = None if self.closed else self._read((key,))[key]
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[bytes]:
        return (key for portion in self.portions() for key, _ in portion)

    def __len__(self) -> int:
        if self.closed:
            return 0
        with self._env.begin() as reading:
            return int(reading.stat(self._state)["entries"])

    async def ahead(self, keys: Iterable[bytes | None]) -> Readable:
        """Return the contents, those keys read already: in a thread, for the disk may be slow."""
        wanted = {key for key in keys if key}
        return Ahead(await asyncio.to_thread(self._read, wanted), self)

    def _read(self, keys: Collection[bytes]) -> dict[bytes, bytes | None]:
        with self._reading:
            if self.closed:
                return dict.fromkeys(keys)
            with self._env.begin(db=self._state) as reading:
                return {key: reading.get(key) for key in keys}

    def apply(self, changes: Changes, stamp: Stamp) -> None:
        """Change contents and stamp in one transaction. Raises lmdb.Error: nothing is changed."""
        with self._env.begin(write=True, db=self._state) as writing:
            with writing.cursor() as cursor:  # sorted, so that neighbours go to a page at once
                cursor.putmulti(sorted((k, v) for k, v in changes.items() if v is not None))
            for key, value in changes.items():
                if value is None:
                    writing.delete(key)
            writing.put(STAMP, self._sealed(stamp, closed=False), db=self._meta)
        self.stamp = stamp

    def _sealed(self, stamp: Stamp, *, closed: bool) -> bytes:
        return _encode(_Written(*stamp, self._topic, self._boot, closed))

    def portions(self, size: int = PORTION) -> Iterator[Collection[tuple[bytes, bytes]]]:
        """Yield all there is, some at a time, in the order of keys."""
        after: bytes | None = None
        while portion := self._portion(after, size):
            after = portion[-1][0]
            yield portion

    def _portion(self, after: bytes | None, size: int) -> list[tuple[bytes, bytes]]:
        if self.closed:
            return []
        with self._env.begin(db=self._state) as reading, reading.cursor() as cursor:
            there = cursor.first() if after is None else cursor.set_range(after)
            if there and cursor.key() == after:
                there = cursor.next()
            found: list[tuple[bytes, bytes]] = []
            while there and len(found) < size:
                found.append(cursor.item())
                there = cursor.next()
            return found

    def clear(self) -> None:
        """Forget everything, on disk too."""
        if hasattr(self, "_env"):
            self._env.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.stamp = Stamp()
        self._open()
        self._begin()

    def close(self) -> None:
        """Bring all of it to the disk itself, so that it counts after the next boot too."""
        with self._reading:
            self.closed = True
            self._env.sync(True)
            with self._env.begin(write=True, db=self._meta) as writing:
                writing.put(STAMP, self._sealed(self.stamp, closed=True))
            self._env.sync(True)
            self._env.close()


class Ahead:
    """Values read ahead of their use, and the store for those that were not."""

    __slots__ = ("_known", "_store")

    def __init__(self, known: dict[bytes, bytes | None], store: DiskStore) -> None:
        self._known = known
        self._store = store

    def get(self, key: bytes) -> bytes | None:
        """Return a key's value, or None."""
        return self._known[key] if key in self._known else self._store.get(key)


def boot() -> str:
    """Return the id of the machine's current boot; where none is told, one that never recurs."""
    try:
        return BOOT.read_text().strip()
    except OSError:
        return ""


class DiskStores:
    """The stores of one worker, under `folder`: one process at a time has them.

    A partition that went to another worker stays for KEPT seconds, for it may come back.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ids: Mapping[str, str] = {}
        self._open: weakref.WeakValueDictionary[Path, DiskStore] = weakref.WeakValueDictionary()
        self._lock: IO[str] | None = None

    async def prepare(self, brokers: str, topics: Collection[str]) -> None:
        """Take the folder, and learn which changelogs there are. Raises StoresError, KafkaError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self._folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoresError(
                f"another worker has its state in {self._folder}: give each its own C360_INSTANCE"
            ) from None
        self._ids = await asyncio.to_thread(topic_ids, brokers, topics)
        self.sweep()

    def open(self, topic: str, partition: int) -> DiskStore:
        """Return the store of a changelog's partition, which is not open yet."""
        folder = self._folder / topic / str(partition)
        store = self._open[folder] = DiskStore(folder, self._ids[topic])
        return store

    def sweep(self) -> None:
        """Throw away what nobody has had open for long."""
        for folder in self._folder.glob("*/*/"):
            store = self._open.get(folder)
            if (store is None or store.closed) and time.time() - newest(folder) > KEPT:
                shutil.rmtree(folder)


def newest(folder: Path) -> float:
    """Return when anything in a folder was last written, s since 1970."""
    return max((file.stat().st_mtime for file in folder.iterdir()), default=0.0)


def topic_ids(brokers: str, topics: Collection[str]) -> dict[str, str]:
    """Ask the brokers for the ids of topics. Raises KafkaError."""
    with closing(KafkaAdminClient(bootstrap_servers=brokers.split(","))) as admin:
        return {one["name"]: str(one["topic_id"]) for one in admin.describe_topics(list(topics))}
