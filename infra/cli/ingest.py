"""`c360 ingest FILE…`: touchpoints from files onto the log, checked, resumable, each once."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast

import typer

from infra.cli.ingest_job import Job, as_written, by_time
from infra.cli.ingest_view import Refusals, tell
from infra.cli.terminal import Terminal
from infra.files.drafts import Format, Source
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
    sort: Annotated[
        bool, typer.Option("--sort", help="send the rows of all files by time; sorts on disk")
    ] = False,
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
    A past is learnt from best in the order of time: rows that come late are told.
    Exit code 1 when rows were rejected.
    """
    settings = Settings.from_env(os.environ)
    table = Mapping.load(mapping) if mapping else None
    rules = settings.identity_rules()
    sources = [_source(path, format_, table, source, rules) for path in files]
    folder = checkpoint or settings.home / "imports"
    until = observed_until and observed_until.replace(tzinfo=UTC)
    job = Job(settings.brokers, settings.topic(TOUCHPOINTS), folder, until, again, dry_run)
    console = Terminal(stderr=True)
    results = []
    with Refusals(reject_file) as refusals:
        for result, refused in (by_time if sort else as_written)(sources, job, console, refusals):
            results.append(result)
            if not as_json:
                tell(console, result, refused)
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
