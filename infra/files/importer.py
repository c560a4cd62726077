"""Import a file: check every row, then send the good ones, each exactly once.

`check` sends nothing. `Import.run` can be killed at any instant and run again:
it goes on behind the last row that the log has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from time import time_ns

from infra.files.checkpoint import Checkpoint
from infra.files.drafts import Draft, Source
from infra.files.log import ROW_HEADER, Log, Message
from infra.files.orders import Order, Outgoing, Place

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
    newest: datetime | None = None  # event of all rows so far, those of files before this one too
    late: int = 0  # rows older than `newest` was when they came
    first_late: int = 0  # line of the first of them
    late_by: timedelta = timedelta(0)  # how much older the oldest of them was

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
        if self.newest is None or at >= self.newest:
            self.newest = at
            return
        self.late += 1
        self.first_late = self.first_late or draft.row.number
        self.late_by = max(self.late_by, self.newest - at)


def check(
    source: Source,
    progress: Progress,
    accept: Callable[[Draft], None],
    refuse: Callable[[Draft], None],
    report: Report,
) -> None:
    """Read the whole file into `report`; hand each row to `accept` or `refuse`. Sends nothing."""
    for row, digest in source.rows():
        draft = source.draft(row, digest, _now_ms())
        report.add(draft)
        (accept if draft.rejected is None else refuse)(draft)
        if report.rows % WINDOW == 0:
            progress(row.done, report.accepted)


@dataclass(frozen=True, slots=True)
class Import:
    """Checked rows on their way to one log; `file` is where their checkpoint is kept.

    `observed_until`: how far in time they reach, so that the silence after it
    is not taken for the customer's.
    """

    order: Order
    log: Log
    file: Path
    observed_until: datetime
    window: int = WINDOW

    async def run(self, progress: Progress, *, again: bool = False) -> Counter[Path]:
        """Send the accepted rows that the log does not have; return how many of each file.

        Raises LogUnavailableError or FileUnreadableError; then, too, it can go on.
        """
        done, there = await self._resume(again)
        sent: Counter[Path] = Counter()
        for window in _windows(self._after(done.row), self.window):
            made = [row for place in window if (row := place.made()) is not None]
            unsent = [row for row in made if row.digest not in there]
            ends = done.ends | await self.log.send(self._message(row) for row in unsent)
            sent.update(row.source.path for row in unsent)
            last = window[-1]
            done = Checkpoint(path=done.path, row=last.number, digest=last.mark, ends=ends)
            done.save(self.file)
            progress(last.done, sent.total())
        return sent

    async def _resume(self, again: bool) -> tuple[Checkpoint, set[str]]:
        """Return where to go on, and which rows behind it the log has already."""
        done = None if again else Checkpoint.load(self.file)
        if done is not None and self._begins_with(done):
            there = await self.log.rows_since(done.ends)
            if there is not None:
                return done, there
        done = Checkpoint(path=str(self.order.path), ends=await self.log.ends())
        done.save(self.file)
        return done, set()

    def _begins_with(self, done: Checkpoint) -> bool:
        """Tell whether the rows still begin with those that were sent."""
        if done.row == 0:
            return True
        at = (place.mark for place in self.order.places() if place.number == done.row)
        return next(at, None) == done.digest

    def _after(self, number: int) -> Iterator[Place]:
        return (place for place in self.order.places() if place.number > number)

    def _message(self, row: Outgoing) -> Message:
        headers = {
            "format": row.source.format,
            "source": row.source.name,
            "received_at": str(_now_ms()),
            "observed_until": str(int(self.observed_until.timestamp() * 1000)),
            ROW_HEADER: row.digest,
        }
        return Message(
            key=row.key,
            value=row.value,
            headers=[(name, value.encode("ascii", "replace")) for name, value in headers.items()],
        )


def _windows(places: Iterator[Place], size: int) -> Iterator[list[Place]]:
    while window := list(islice(places, size)):
        yield window


def _now_ms() -> int:
    return time_ns() // 1_000_000
