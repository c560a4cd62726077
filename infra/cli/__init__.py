"""The `c360` command: the one place where every part is put together.

A user's mistake is a sentence that says what to do next, never a traceback.
"""

from __future__ import annotations

import sys

import typer

from infra.cli.lazy import Later, LazyGroup
from infra.errors import UserError
from infra.settings import SettingsError

# In the order of `c360 --help`.
COMMANDS = {
    "up": Later("up", "Start customer360 on this machine; Ctrl-C stops it and keeps the data."),
    "workers": Later(
        "workers", "Show the workers with their partitions and lag, or change how many there are."
    ),
    "status": Later("status", "Show processes, workers, lag by step, freshness and table counts."),
    "topics": Later("topics", "Show each topic: partitions, messages, how long they are kept."),
    "doctor": Later(
        "doctor",
        "Check Java, Maven, ports, disk, settings, brokers, topics, ClickHouse; list the settings.",
    ),
    "keys": Later("keys", "Keys: show this machine's, or make up another."),
    "migrate": Later(
        "migrate",
        "Create the database when missing, and apply the migrations it has not had yet.",
    ),
    "ingest": Later("ingest", "Send the touchpoints in files to the log."),
    "simulate": Later(
        "simulate", "Simulate telecom and retail customers: their past first, then the present."
    ),
    "profile": Later(
        "profile",
        "Show one customer: who, risk with reasons, offer, value, timeline; live, or as of a time.",
    ),
    "identity": Later("identity", "Who is one customer: show it, merge two, take one out again."),
    "models": Later(
        "models", "The models: show them, command their learners, evaluate policies and learners."
    ),
    "dead-letters": Later("dead_letters", "Messages that were refused, and sending them again."),
    "verify": Later(
        "verify",
        "Compare log, live profiles, identities and ClickHouse; exit code 1 when they differ.",
    ),
    "rebuild": Later(
        "rebuild",
        "Make anew what follows from the log: beside the running system, compared, then swapped.",
    ),
}


class Commands(LazyGroup):
    """All commands."""

    later = COMMANDS


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
