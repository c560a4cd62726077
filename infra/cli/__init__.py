"""The `c360` command: the one place where every part is put together.

A user's mistake is a sentence that says what to do next, never a traceback.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from infra.errors import UserError
from infra.settings import SettingsError

# In the order of `c360 --help`. Imported when used: `status` need not wait for River.
COMMANDS = {
    "up": "up",
    "workers": "workers",
    "status": "status",
    "topics": "topics",
    "doctor": "doctor",
    "keys": "keys",
    "migrate": "migrate",
    "ingest": "ingest",
    "simulate": "simulate",
    "profile": "profile",
    "identity": "identity",
    "models": "models",
    "dead-letters": "dead_letters",
    "verify": "verify",
    "rebuild": "rebuild",
}


class Commands(TyperGroup):
    """The commands, each in the module of its name: an `app` of its own, or a `command`."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name every command."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the module of a command and return what typer makes of it."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"infra.cli.{COMMANDS[cmd_name]}")
        part = getattr(module, "app", None)
        if part is None:
            part = typer.Typer(add_completion=False)
            part.command(cmd_name)(module.command)
        command = typer.main.get_command(part)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="customer360: live profiles, churn risk and next-best-offer from touchpoints.",
)


@app.callback()
def root() -> None:
    """customer360: live profiles, churn risk and next-best-offer from touchpoints."""


def main() -> None:
    """Run the command line. Exit code 1: it failed; 2: it was asked wrongly."""
    try:
        app()
    except SettingsError as error:
        _say("the settings are wrong", str(error))
        sys.exit(2)
    except UserError as error:
        _say(error.what, error.remedy)
        sys.exit(1)
    except BrokenPipeError:  # `c360 topics | head`
        sys.stderr.close()
        sys.exit(1)


def _say(what: str, remedy: str) -> None:
    typer.secho(f"c360: {what}", fg="red", err=True)
    if remedy:
        typer.secho(f"      {remedy.replace(chr(10), chr(10) + '      ')}", err=True)
