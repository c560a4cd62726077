"""Import a file: check every row, then send the good ones, each exactly once.

`check` sends nothing. `Import.run` can be killed at any instant and run again:
it goes on behind the last row that the log has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from time import time_ns

from infra.files.checkpoint import Checkpoint
from infra.files.drafts import Draft, Source
from infra.files.log import ROW_HEADER, Log, Message
from infra.files.rows import Row
from models.identity import primary

WINDOW = 2_000  # rows sent between two checkpoints: about 100 ms of work

Progress = Callable[[int, int], None]  # how far into the file, rows so far


@dataclass(slots=True)
class Report:
    """What a check found."""

    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    earliest: datetime | None = None
    latest: datetime | None = None
    first: str = ""  # digest of the first row: names the file, whatever its path

    def add(self, draft: Draft) -> None:
        """Count one row."""
        self.rows += 1
        self.first = self.first or draft.digest
        if draft.touchpoint is None:
            self.rejected += 1
            assert draft.rejected is not None
            reason = draft.rejected.reason.value
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
            return
        self.accepted += 1
        at = draft.touchpoint.occurred_at
        self.earliest = at if self.earliest is None else min(at, self.earliest)
        self.latest = at if self.latest is None else max(at, self.latest)


def check(source: Source, progress: Progress, refuse: Callable[[Draft], None]) -> Report:
    """Read the whole file; hand each rejected row to `refuse`. Nothing is sent."""
    report = Report()
    for row, digest in source.rows():
        draft = source.draft(row, digest, _now_ms())
        report.add(draft)
        if draft.rejected is not None:
            refuse(draft)
        if report.rows % WINDOW == 0:
            progress(row.done, report.accepted)
    return report


@dataclass(frozen=True, slots=True)
class Import:
    """One checked file on its way to one log; `file` is where its checkpoint is kept.

    `observed_until`: how far in time the file reaches, so that the silence after it
    is not taken for the customer's.
    """

    source: Source
    log: Log
    file: Path
    observed_until: datetime
    window: int = WINDOW

    async def run(self, progress: Progress, *, again: bool = False) -> int:
        """Send the accepted rows that the log does not have; return how many those were.

        Raises LogUnavailableError or FileUnreadableError; then, too, it can go on.
        """
        done, there = await self._resume(again)
        sent = 0
        for window in _windows(self._after(done.row), self.window):
            drafts = [self.source.draft(row, digest, _now_ms()) for row, digest in window]
            unsent = [d for d in drafts if d.touchpoint is not None and d.digest not in there]
            ends = done.ends | await self.log.send(self._message(draft) for draft in unsent)
            sent += len(unsent)
            row, digest = window[-1]
            done = Checkpoint(path=done.path, row=row.number, digest=digest, ends=ends)
            done.save(self.file)
            progress(row.done, sent)
        return sent

    async def _resume(self, again: bool) -> tuple[Checkpoint, set[str]]:
        """Return where to go on, and which rows behind it the log has already."""
        done = None if again else Checkpoint.load(self.file)
        if done is not None and self._begins_with(done):
            there = await self.log.rows_since(done.ends)
            if there is not None:
                return done, there
        done = Checkpoint(path=str(self.source.path), ends=await self.log.ends())
        done.save(self.file)
        return done, set()

    def _begins_with(self, done: Checkpoint) -> bool:
        """Tell whether the file still begins with the rows that were sent."""
        if done.row == 0:
            return True
        at = (digest for row, digest in self.source.rows() if row.number == done.row)
        return next(at, None) == done.digest

    def _after(self, number: int) -> Iterator[tuple[Row, str]]:
        return (numbered for numbered in self.source.rows() if numbered[0].number > number)

    def _message(self, draft: Draft) -> Message:
        assert draft.touchpoint is not None
        headers = {
            "format": self.source.format,
            "source": self.source.name,
            "received_at": str(_now_ms()),
            "observed_until": str(int(self.observed_until.timestamp() * 1000)),
            ROW_HEADER: draft.digest,
        }
        return Message(
            key=str(primary(draft.touchpoint.identifiers, self.source.rules)).encode(),
            value=draft.value,
            headers=[(name, value.encode("ascii", "replace")) for name, value in headers.items()],
        )


def _windows(rows: Iterator[tuple[Row, str]], size: int) -> Iterator[list[tuple[Row, str]]]:
    while window := list(islice(rows, size)):
        yield window


def _now_ms() -> int:
    return time_ns() // 1_000_000
