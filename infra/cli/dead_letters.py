"""`c360 dead-letters list|show|redrive`: what was refused, why, and sending it again."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from infra import dead_letters
from infra.cli.context import settings
from infra.cli.terminal import Terminal
from infra.dead_letters import Letter
from infra.errors import UserError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Messages that were refused, and sending them again.",
)
Offset = Annotated[int, typer.Argument(help="the letter's number, as `list` shows it")]


@app.command("list")
def list_(
    reason: Annotated[str, typer.Option(help="only those refused for this reason")] = "",
    limit: Annotated[int, typer.Option(min=1, help="how many, newest first")] = 50,
    done: Annotated[bool, typer.Option("--all", help="also those sent again already")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """List the newest dead letters: reason, field, where it came from, when."""
    found = [
        letter
        for letter in dead_letters.read(settings())
        if reason in ("", letter.why.reason) and (done or letter.redriven_ms is None)
    ]
    newest = found[: -limit - 1 : -1]
    if as_json:
        typer.echo(json.dumps([_plain(letter) for letter in newest], ensure_ascii=False))
        return
    if not found:
        typer.echo("no dead letters")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("number", "refused (UTC)", "reason", "field", "came from", "sent by", "detail"):
        table.add_column(name, justify="right" if name == "number" else "left")
    for letter in newest:
        again = " (sent again)" if letter.redriven_ms is not None else ""
        sender = dict(letter.why.headers).get("source", b"").decode("utf-8", "replace")
        why = letter.why
        at = f"{_time(letter.at_ms):%Y-%m-%d %H:%M:%S}"
        cells = (str(letter.offset), at, why.reason, why.where, why.source, sender)
        # As text: what senders wrote may look like rich's own markup.
        table.add_row(*map(Text, cells), Text.assemble(why.detail[:80], (again, "dim")))
    Terminal().print(table)
    if len(found) > limit:
        typer.echo(f"\n{len(found) - limit} older ones; --limit shows more", err=True)


@app.command()
def show(
    offset: Offset,
    raw: Annotated[bool, typer.Option("--raw", help="the message's bytes alone")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Print one dead letter whole."""
    letter = _one(offset)
    if raw:
        typer.echo(letter.value or b"", nl=False)
    elif as_json:
        typer.echo(json.dumps(_plain(letter), ensure_ascii=False))
    else:
        console = Terminal(soft_wrap=True, highlight=False, markup=False)
        for name, value in _plain(letter).items():
            if name != "value":
                console.print(f"{name:<10} {value}")
        console.print()
        console.print((letter.value or b"").decode("utf-8", "backslashreplace"))


@app.command()
def redrive(
    offsets: Annotated[list[int] | None, typer.Argument(help="numbers of letters")] = None,
    every: Annotated[bool, typer.Option("--all", help="all not sent again yet")] = False,
    reason: Annotated[str, typer.Option(help="with --all: only for this reason")] = "",
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="send this instead: mended")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="even if sent again before")] = False,
) -> None:
    """Send letters back to the touchpoints, with key, headers and bytes as received."""
    chosen = settings()
    numbers = list(offsets or ())
    if every:
        numbers += [
            letter.offset
            for letter in dead_letters.read(chosen)
            if letter.redriven_ms is None
            and letter.source_topic == "touchpoints"
            and reason in ("", letter.why.reason)
        ]
    if file is not None and len(numbers) != 1:
        raise UserError("--file replaces one letter", "name exactly one number")
    if not numbers:
        typer.echo("nothing to send again")
        return
    sent = dead_letters.redrive(
        chosen, numbers, file.read_bytes() if file is not None else None, again=again
    )
    typer.echo(f"sent again: {', '.join(map(str, sent))}")


def _one(offset: int) -> Letter:
    for letter in dead_letters.read(settings()):
        if letter.offset == offset:
            return letter
    raise UserError(f"no dead letter {offset}", "`c360 dead-letters list` shows them")


def _plain(letter: Letter) -> dict[str, Any]:
    again = letter.redriven_ms
    return {
        "number": letter.offset,
        "refused_at": _time(letter.at_ms).isoformat(),
        "reason": letter.why.reason,
        "field": letter.why.where,
        "detail": letter.why.detail,
        "source": letter.why.source,
        "redriven_at": None if again is None else _time(again).isoformat(),
        "key": _text(letter.key),
        "headers": {name: _text(value) for name, value in letter.why.headers},
        "value": _text(letter.value),
    }


def _text(value: bytes | None) -> Any:
    """Return bytes as text; what is no UTF-8 as {"base64": …}, so that nothing is lost."""
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value or b"").decode()}


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1_000, UTC)
