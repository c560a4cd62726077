"""What senders say is shown on the terminal, and never obeyed by it."""

import ast
import io
from pathlib import Path

import pytest
from rich.live import Live
from rich.table import Table
from rich.text import Text
from typer.testing import CliRunner

from infra import dead_letters as log
from infra.cli import dead_letters, terminal
from infra.cli.terminal import Terminal
from infra.dead_letters import Letter
from models.dead_letter import DeadLetter

EVIL = "ana\x1b]0;a title\x07 \x1b[2J\x9b31m\x08\x7f\r!"
SHOWN = "ana␛]0;a title"


def row(text):
    table = Table()
    table.add_row(text)
    return table


@pytest.mark.parametrize("of", [str, Text, row, lambda text: row(Text(text))])
def test_a_control_character_is_shown_as_a_sign(of):
    written = io.StringIO()
    Terminal(file=written, width=200).print(of(EVIL), markup=False)
    assert SHOWN in written.getvalue()
    assert written.getvalue().replace("\n", "").isprintable()


def test_the_programs_own_colours_and_places_stay():
    written = io.StringIO()
    console = Terminal(file=written, width=200, force_terminal=True, color_system="standard")
    with Live(Text(EVIL, "red"), console=console, auto_refresh=False) as live:
        live.update(Text("b", "red"), refresh=True)
    assert f"\x1b[31m{SHOWN}" in written.getvalue()
    assert "\x1b[2K" in written.getvalue()  # the line is cleared before it is written anew
    assert "\x1b]0" not in written.getvalue()
    assert "\x1b[2J" not in written.getvalue()


def test_every_command_writes_through_it():
    for file in Path(terminal.__file__).parent.glob("*.py"):
        called = (one.func for one in ast.walk(ast.parse(file.read_text())) if _is_call(one))
        assert "Console" not in [getattr(one, "id", "") for one in called], file.name


def _is_call(node):
    return isinstance(node, ast.Call)


@pytest.mark.parametrize("arguments", [["list"], ["show", "7"]])
def test_a_dead_letter_of_any_content_is_shown(monkeypatch, arguments):
    hostile = f"[/nothing] [link=x]{EVIL}"
    why = DeadLetter("bad_field", hostile, hostile, "touchpoints/0/1", (("source", b"[/]"),))
    letter = Letter(7, 0, why, None, hostile.encode(), 1)
    monkeypatch.setattr(log, "read", lambda _: [letter])
    arguments = [*arguments, "--all"] if arguments == ["list"] else arguments
    said = CliRunner(env={"COLUMNS": "300"}).invoke(dead_letters.app, arguments)
    assert said.exit_code == 0, said.exception
    assert "[/nothing] [link=x]ana␛]0;" in said.stdout
    assert said.stdout.replace("\n", "").isprintable()
