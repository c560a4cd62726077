"""`c360 ingest FILE…`: touchpoints from files onto the log, checked, resumable, each once."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import Annotated, NamedTuple, cast

import typer
from rich.console import Console

from infra.cli.ingest_view import Refusals, bar, tell
from infra.files.checkpoint import place_of
from infra.files.drafts import Format, Source
from infra.files.importer import Import, Progress, Report, check
from infra.files.log import Log
from infra.files.mapping import Mapping
from infra.files.rows import Kind, kind_of
from infra.settings import Settings
from models.identity_rules import Rules
from models.topics import TOUCHPOINTS


class As(StrEnum):
    """What a file holds."""

    AUTO = "auto"  # by its name
    NATIVE = "native"
    SEGMENT = "segment"
    CLOUDEVENTS = "cloudevents"
    CSV = "csv"
    PARQUET = "parquet"


def command(
    files: Annotated[list[Path], typer.Argument(help="JSON Lines, CSV or Parquet; .gz too")],
    format_: Annotated[
        As, typer.Option("--format", help="what the files hold; auto goes by their names")
    ] = As.AUTO,
    mapping: Annotated[
        Path | None, typer.Option(help="TOML that says what a table's columns mean, or: cdnow")
    ] = None,
    source: Annotated[
        str, typer.Option(help="name kept on each event; the file's name when not given")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="check only, send nothing")] = False,
    observed_until: Annotated[
        datetime | None,
        typer.Option(help="how far in time the files reach, UTC; else their newest event"),
    ] = None,
    reject_file: Annotated[
        Path | None, typer.Option(help="write every rejected row there, with its reason")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="folder of the checkpoints; else C360_HOME/imports")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="send every row, whatever was sent before")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON")] = False,
) -> None:
    """Send the touchpoints in files to the log.

    All rows are checked, then the good ones are sent, each once: an import that was
    stopped goes on where it stopped, and a file that has grown sends its new rows.
    Exit code 1 when rows were rejected.
    """
    settings = Settings.from_env(os.environ)
    table = Mapping.load(mapping) if mapping else None
    rules = settings.identity_rules()
    sources = [_source(path, format_, table, source, rules) for path in files]
    folder = checkpoint or settings.home / "imports"
    until = observed_until and observed_until.replace(tzinfo=UTC)
    job = Job(settings.brokers, settings.topic(TOUCHPOINTS), folder, until, again)
    console = Console(stderr=True)
    results = []
    with Refusals(reject_file) as refusals:
        for one in sources:
            refusals.begin(one.path)
            result = _ingest(one, console, refusals, None if dry_run else job)
            results.append(result)
            if not as_json:
                tell(console, result, refusals)
    if as_json:
        typer.echo(json.dumps(results, ensure_ascii=False))
    if any(result["rejected"] for result in results):
        raise typer.Exit(1)


def _source(path: Path, format_: As, mapping: Mapping | None, name: str, rules: Rules) -> Source:
    match format_:
        case As.AUTO:
            kind, wire = kind_of(path), "native"
        case As.CSV | As.PARQUET:
            kind, wire = cast(Kind, format_.value), "native"
        case _:
            kind, wire = "jsonl", format_.value
    return Source(path, kind, name or path.name, cast(Format, wire), mapping, rules)


class Job(NamedTuple):
    """Where files are sent, and how."""

    brokers: str
    topic: str
    folder: Path  # of checkpoints
    observed_until: datetime | None
    again: bool

    async def send(self, source: Source, report: Report, progress: Progress) -> int:
        """Send a checked file; return how many events were new."""
        assert report.latest is not None
        place = place_of(self.folder, f"{self.brokers}/{self.topic}", report.first)
        async with Log(self.brokers, self.topic) as log:
            until = self.observed_until or report.latest
            return await Import(source, log, place, until).run(progress, again=self.again)


def _ingest(
    source: Source, console: Console, refusals: Refusals, job: Job | None
) -> dict[str, object]:
    begun = monotonic()
    with bar(console, "checking", source.extent) as progress:
        report = check(source, progress, refusals.add)
    result: dict[str, object] = {
        "file": str(source.path),
        "rows": report.rows,
        "accepted": report.accepted,
        "rejected": report.rejected,
        "reasons": report.reasons,
        "earliest": report.earliest and report.earliest.isoformat(),
        "latest": report.latest and report.latest.isoformat(),
        "check_seconds": round(monotonic() - begun, 3),
    }
    if report.accepted == 0 or job is None:
        return result
    begun = monotonic()
    with bar(console, "sending", source.extent) as progress:
        sent = asyncio.run(job.send(source, report, progress))
    return result | {
        "sent": sent,
        "sent_before": report.accepted - sent,
        "send_seconds": round(monotonic() - begun, 3),
    }
