"""Rows by time, however many: sorted in lots that fit in memory, and merged from disk.

The temporary files have no names: when the process ends, however it ends, they are gone.
"""

from __future__ import annotations

import heapq
import struct
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import IO, Final, NamedTuple

import msgspec

from infra.files.drafts import Draft, Source
from infra.files.errors import FileUnreadableError
from infra.files.orders import Outgoing, Place
from models.events.clock import EPOCH

MOST_BYTES: Final = 64 * 1024 * 1024  # of rows held in memory
MOST_RUNS: Final = 128  # files open at once
_AROUND: Final = 400  # bytes that Python takes for a row besides its key and value
_MICROSECONDS: Final = 1_000_000
_LENGTH: Final = struct.Struct("<I")


class _Entry(NamedTuple):
    """A row; entries compare by time, rows of one time as they were written."""

    at_us: int  # µs since 1970
    file: int
    number: int  # its line
    digest: str
    key: bytes
    value: bytes


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Entry).decode


class ByTime:
    """The accepted rows of files, all together, in the order of their times.

    Add all, then read; `folder` is where the temporary files are made.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        folder: Path,
        most_bytes: int = MOST_BYTES,
        most_runs: int = MOST_RUNS,
    ) -> None:
        self._sources = sources
        self._folder = folder
        self._most_bytes, self._most_runs = most_bytes, most_runs
        self._held: list[_Entry] = []
        self._bytes = 0
        self._runs: list[IO[bytes]] = []
        self.count = 0

    @property
    def path(self) -> Path:
        """The first file's."""
        return self._sources[0].path

    def add(self, file: int, draft: Draft) -> None:
        """Take in an accepted row of the file at this place among the sources."""
        assert draft.touchpoint is not None
        row = Outgoing.of(self._sources[file], draft)
        since = draft.touchpoint.occurred_at - EPOCH
        at_us = (since.days * 86_400 + since.seconds) * _MICROSECONDS + since.microseconds
        self._held.append(_Entry(at_us, file, draft.row.number, row.digest, row.key, row.value))
        self._bytes += len(row.key) + len(row.value) + _AROUND
        self.count += 1
        if self._bytes >= self._most_bytes:
            self._put_aside()

    def places(self) -> Iterator[Place]:
        """Yield a place for each row; `done` counts them."""
        self._held.sort()
        chain = b""
        merged = heapq.merge(*map(_read, self._runs), self._held)
        for number, entry in enumerate(merged, start=1):
            chain = blake2b(chain + entry.digest.encode(), digest_size=16).digest()
            yield Place(number, chain.hex(), number, partial(self._made, entry))

    def close(self) -> None:
        """Give back memory and disk."""
        for run in self._runs:
            run.close()
        self._runs, self._held = [], []

    def _made(self, entry: _Entry) -> Outgoing:
        return Outgoing(entry.digest, self._sources[entry.file], entry.key, entry.value)

    def _put_aside(self) -> None:
        self._held.sort()
        runs = [*self._runs, self._write(self._held)]
        self._held, self._bytes = [], 0
        if len(runs) >= self._most_runs:
            merged = self._write(heapq.merge(*map(_read, runs)))
            for run in runs:
                run.close()
            runs = [merged]
        self._runs = runs

    def _write(self, entries: Iterable[_Entry]) -> IO[bytes]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            run = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  # `close` closes it
            for entry in entries:
                packed = _encode(entry)
                run.write(_LENGTH.pack(len(packed)))
                run.write(packed)
            run.flush()
        except OSError as error:
            raise FileUnreadableError(f"{self._folder}: cannot sort there ({error})") from error
        return run


def _read(run: IO[bytes]) -> Iterator[_Entry]:
    run.seek(0)
    while head := run.read(_LENGTH.size):
        yield _decode(run.read(_LENGTH.unpack(head)[0]))
