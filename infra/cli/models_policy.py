"""`c360 models evaluate`: what other offer policies would have earned, and what offers caused."""

from __future__ import annotations

import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from clickhouse_connect.driver.exceptions import Error

from infra.cli import models_policy_view
from infra.cli.context import settings_and_secrets
from infra.cli.terminal import Terminal
from infra.errors import UserError
from infra.settings import Settings, SettingsError
from models.catalogue import Catalogue, CatalogueError, parse
from models.offpolicy import Policy
from models.offpolicy.policies import THOMPSON, PolicyError, named, unknown
from projections.client import connect
from projections.offer_log import OfferLog, Span, TooManyArmsError
from projections.offer_worth import USUAL, Judged, judge

SECONDS = 3_600  # a long log takes a while

Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        help="uniform, greedy, thompson, fixed:ARM, or a catalogue file (.toml); several times",
    ),
]
Since = Annotated[str | None, typer.Option(help="decisions from then on: 2026-11-01")]
Until = Annotated[str | None, typer.Option(help="decisions before then; left out: now")]


def command(
    policy: Policies = None,
    since: Since = None,
    until: Until = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Tell what other policies would have earned, by the decisions that were made.

    Each decision was drawn with a known chance, so it can stand for those that another policy
    would have made. A catalogue file is judged as if it had been the one in use: other values,
    costs, floor; offers left out. What it adds was never made, so nobody can tell: it is named.
    """
    settings = settings_and_secrets()
    span = Span(_time("--since", since, 0), _time("--until", until, int(time.time() * 1000)))
    if span.since >= span.until:
        raise UserError("--since is not before --until", "give an earlier --since")
    try:
        running = parse(settings.offers_text())
    except CatalogueError as error:
        raise SettingsError(f"C360_OFFERS_FILE: {error}") from error
    console = Terminal()
    waiting = nullcontext() if as_json else console.status("reading the decisions")
    try:
        with connect(settings, timeout=SECONDS) as client, waiting:
            log = OfferLog(client, span)
            policies, notes = _policies(policy or list(USUAL), log.arms, running)
            judged = judge(log, policies)
    except (PolicyError, TooManyArmsError) as error:
        raise UserError(str(error), "c360 models evaluate --help says what there is") from error
    except (Error, OSError) as error:
        raise _away(settings, error) from error
    if as_json:
        typer.echo(msgspec.json.encode(_plain(judged, notes)).decode())
    else:
        models_policy_view.show(console, judged, notes)


def _policies(
    asked: list[str], arms: list[str], running: Catalogue
) -> tuple[dict[str, Policy], dict[str, list[str]]]:
    """Return the policies by name, and by name the arms that the log never knew."""
    policies: dict[str, Policy] = {}
    notes: dict[str, list[str]] = {}
    for name in asked:
        if name.endswith(".toml"):
            catalogue = _catalogue(Path(name))
            policies[name] = named(THOMPSON, arms, catalogue, running)
            if never := unknown(arms, catalogue):
                notes[name] = never
        else:
            policies[name] = named(name, arms, running)
    return policies, notes


def _catalogue(file: Path) -> Catalogue:
    try:
        return parse(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read: {error}", "name a catalogue file") from error
    except CatalogueError as error:
        raise UserError(
            f"{file} is no catalogue: {error}", "infra/catalogue/offers.toml is one"
        ) from error


def _time(name: str, text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    try:
        said = datetime.fromisoformat(text)
        return int((said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise UserError(
            f"{name}: {text!r} is no time",
            "a time reads 2026-11-22, or 2026-11-22T09:30:00+09:00; without a zone it is UTC",
        ) from None


def _away(settings: Settings, error: Exception) -> UserError:
    said = " ".join(str(error).split("Stack trace", 1)[0].split())[:200]
    return UserError(
        f"ClickHouse does not answer at {settings.clickhouse_url}: {said}",
        "start it: c360 up; `c360 migrate` brings its tables up to date",
    )


def _plain(judged: Judged, notes: dict[str, list[str]]) -> dict[str, object]:
    return {**msgspec.to_builtins(judged), "never_made": notes}
