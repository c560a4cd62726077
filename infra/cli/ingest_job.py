"""What `c360 ingest` does with the files it is given: check them, and send them in an order."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from rich.console import Console

from infra.cli.ingest_view import Refusals, bar, warn_late
from infra.files.checkpoint import Checkpoint, place_of
from infra.files.drafts import Draft, Source
from infra.files.errors import FileUnreadableError
from infra.files.importer import Import, Progress, Report, check
from infra.files.log import Log
from infra.files.orders import AsWritten, Order
from infra.files.sorting import ByTime

Result = dict[str, object]
Told = tuple[Result, list[str]]  # one file's result, and its first rejected rows


class Job(NamedTuple):
    """Where files are sent, and how."""

    brokers: str
    topic: str
    folder: Path  # of checkpoints
    observed_until: datetime | None
    again: bool
    dry_run: bool

    def place(self, name: str) -> Path:
        """Name the checkpoint of what begins so."""
        return place_of(self.folder, f"{self.brokers}/{self.topic}", name)

    async def send(
        self, order: Order, place: Path, reaches: datetime, progress: Progress
    ) -> Counter[Path]:
        """Send checked rows; return how many of each file were new."""
        async with Log(self.brokers, self.topic) as log:
            until = self.observed_until or reaches
            return await Import(order, log, place, until).run(progress, again=self.again)


def as_written(
    sources: Sequence[Source], job: Job, console: Console, refusals: Refusals
) -> Iterator[Told]:
    """Check and send one file after the other, each as it stands; yield what came of each."""
    report = Report()
    for source in sources:
        report = Report(newest=report.newest)
        result = _check(source, report, console, refusals, lambda _: None)
        if report.late:
            warn_late(console, source.path, report)
        if report.latest is not None and not job.dry_run:
            begun = monotonic()
            with bar(console, "sending", source.extent) as progress:
                sending = job.send(
                    AsWritten(source), job.place(report.first), report.latest, progress
                )
                sent = asyncio.run(sending)
            result |= _sent(report, sent[source.path], begun)
        yield result, refusals.first


def by_time(
    sources: Sequence[Source], job: Job, console: Console, refusals: Refusals
) -> Iterator[Told]:
    """Check all files, then send their rows in the order of time; yield what came of each."""
    report, reports, told = Report(), list[Report](), list[Told]()
    with closing(ByTime(sources, job.folder)) as order:
        for number, source in enumerate(sources):
            report = Report(newest=report.newest)
            reports.append(report)

            def take(draft: Draft, file: int = number) -> None:
                order.add(file, draft)

            result = _check(
                source, report, console, refusals, (lambda _: None) if job.dry_run else take
            )
            told.append((result, refusals.first))
        if report.newest is not None and not job.dry_run:
            _require_unsent(sources, reports, job)
            place = job.place("\n".join(["by time", *(one.first for one in reports)]))
            begun = monotonic()
            with bar(console, "sending", order.count) as progress:
                sent = asyncio.run(job.send(order, place, report.newest, progress))
            for source, one, (result, _) in zip(sources, reports, told, strict=True):
                result |= _sent(one, sent[source.path], begun)
    yield from told


def _check(
    source: Source,
    report: Report,
    console: Console,
    refusals: Refusals,
    accept: Callable[[Draft], None],
) -> Result:
    refusals.begin(source.path)
    begun = monotonic()
    with bar(console, "checking", source.extent) as progress:
        check(source, progress, accept, refusals.add, report)
    return {
        "file": str(source.path),
        "rows": report.rows,
        "accepted": report.accepted,
        "rejected": report.rejected,
        "reasons": report.reasons,
        "earliest": report.earliest and report.earliest.isoformat(),
        "latest": report.latest and report.latest.isoformat(),
        "late": report.late,
        "first_late_line": report.first_late or None,
        "late_by_seconds": report.late_by.total_seconds(),
        "check_seconds": round(monotonic() - begun, 3),
    }


def _require_unsent(sources: Sequence[Source], reports: Sequence[Report], job: Job) -> None:
    """Raise FileUnreadableError when a file is, in part, in the log in its own order."""
    if job.again:
        return
    for source, report in zip(sources, reports, strict=True):
        done = Checkpoint.load(job.place(report.first))
        if done is not None and done.row:
            raise FileUnreadableError(
                f"{source.path}: was sent up to line {done.row} as it is written",
                "go on without --sort, or send every row by time with --sort --again",
            )


def _sent(report: Report, sent: int, begun: float) -> Result:
    return {
        "sent": sent,
        "sent_before": report.accepted - sent,
        "send_seconds": round(monotonic() - begun, 3),
    }
