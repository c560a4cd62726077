"""`c360 doctor`: what is wrong with this machine and these settings, and what to do."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra import secrets
from infra.cli.checks import Finding, examine
from infra.cli.terminal import Terminal
from infra.errors import UserError
from infra.settings import PREFIX, Settings, SettingsError

_MARKS = {"ok": "[green]✓[/]", "idle": "[dim]·[/]", "wrong": "[red]✗[/]"}


def command(
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Check Java, Maven, ports, disk, settings, brokers, topics, ClickHouse; list the settings.

    Exit code 1 when something is wrong.
    """
    findings = list(diagnose())
    if as_json:
        found = {"findings": [one._asdict() for one in findings], "settings": list(settings())}
        typer.echo(json.dumps(found))
    else:
        _show(findings, Terminal())
    if any(one.verdict == "wrong" for one in findings):
        raise typer.Exit(1)


def diagnose() -> Iterator[Finding]:
    """Yield every finding; wrong settings end the examination, as nothing can follow."""
    try:
        chosen = Settings.from_env(os.environ)
    except SettingsError as error:
        yield Finding("settings", "wrong", str(error), "correct them; all are listed below")
        return
    yield Finding("settings", "ok", "every C360_ variable is known and valid")
    try:
        known = secrets.resolve(chosen)
    except UserError as error:
        yield Finding("secrets", "wrong", error.what, error.remedy)
        return
    yield Finding("secrets", "ok", str(known.home / secrets.FILE))
    yield from examine(known)


def settings() -> Iterator[dict[str, Any]]:
    """Yield each setting: its variable, default, whether it is set, and what it is for."""
    for name, field in Settings.model_fields.items():
        default = field.default
        hidden = isinstance(default, SecretStr)
        yield {
            "variable": PREFIX + name.upper(),
            "default": None if hidden or default is PydanticUndefined else str(default),
            "set": PREFIX + name.upper() in os.environ,
            "description": field.description or "",
        }


def _show(findings: list[Finding], console: Console) -> None:
    for one in findings:
        said = escape(one.said)
        console.print(f"{_MARKS[one.verdict]} {one.name:<16} {said}", highlight=False)
        if one.remedy:
            console.print(f"  {'':<16} [bold]→ {escape(one.remedy)}[/]", highlight=False)
    table = Table(box=None, header_style="bold", pad_edge=False, title="\nsettings (✓: set here)")
    table.title_justify, table.title_style = "left", "bold"
    table.add_column("variable", no_wrap=True)  # to be copied
    for column in ("default", "what it is for"):
        table.add_column(column, overflow="fold")
    for setting in settings():
        mark = " [green]✓[/]" if setting["set"] else ""
        default = "[dim]made up once[/]" if setting["default"] is None else setting["default"]
        table.add_row(setting["variable"] + mark, default or "–", setting["description"])
    console.print(table)
