"""`c360 models …`: what the models are, and a person's word to their learners."""

from __future__ import annotations

import getpass
import json
import time
from typing import Annotated, Any
from urllib.parse import quote

import typer

from infra import model_log
from infra.cli import models_view
from infra.cli.api import Api, Json, asking
from infra.cli.context import settings_and_secrets
from infra.cli.lazy import Later, LazyGroup
from infra.cli.terminal import Terminal
from infra.errors import UserError

LATER = {
    "evaluate-file": Later(
        "models_file",
        "Predict every row of a file at its time, learn it when its label is known, and report.",
    ),
    "evaluate-baskets": Later(
        "models_baskets",
        "Guess a product of each order before it is learnt, as the model `affinity` would.",
    ),
    "evaluate": Later(
        "models_policy",
        "Tell what other policies would have earned, by the decisions that were made.",
    ),
    "fit": Later(
        "models_fit",
        "Fit lifetimes, contracts, spend and RFM's fifths to a sample of the customers.",
    ),
}


class Commands(LazyGroup):
    """The commands that need SciPy, Faust or pyarrow come when they are used."""

    later = LATER


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    help="The models: show them, command their learners, evaluate policies and learners.",
)
Name = Annotated[str, typer.Argument(metavar="MODEL", help="such as churn; list names them")]
By = Annotated[str, typer.Option(help="who says so; left out: this machine's user")]
Why = Annotated[str, typer.Option(help="why, for whoever looks later")]
Wait = Annotated[float, typer.Option(min=0, help="seconds to wait for the learner")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.callback()
def models() -> None:
    """Show the models, command their learners, evaluate policies and learners."""


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the models: who serves, how good it has been lately, whether it drifts."""
    with asking(settings_and_secrets()) as api:
        found = api.get("/v1/models")["models"]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    elif found:
        Terminal().print(models_view.overview(found))
    else:
        typer.echo("no model has reported yet: the first label comes a horizon after a prediction")


@app.command()
def show(model: Name, as_json: AsJson = False) -> None:
    """Show one model: candidates, calibration, drift, what changed it, what can be gone back to."""
    with asking(settings_and_secrets()) as api:
        found = _model(api, model)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        Terminal().print(models_view.whole(found))


@app.command()
def card(model: Name) -> None:
    """Print a model's card in Markdown: what it predicts, from what, how well, and its limits."""
    with asking(settings_and_secrets()) as api:
        typer.echo(api.text(f"/v1/models/{quote(model, safe='')}/card"), nl=False)


@app.command()
def freeze(
    model: Name, reason: Why, by: By = "", wait: Wait = 30.0, as_json: AsJson = False
) -> None:
    """Stop learning: the model serves as it is, and goes on being judged."""
    _command("freeze", model, reason, by, wait, as_json)


@app.command()
def unfreeze(
    model: Name, reason: Why, by: By = "", wait: Wait = 30.0, as_json: AsJson = False
) -> None:
    """Go on learning. What came meanwhile was judged, not learnt."""
    _command("unfreeze", model, reason, by, wait, as_json)


@app.command()
def reset(
    model: Name,
    reason: Why,
    by: By = "",
    yes: Yes = False,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Begin anew, from the prior. The state as it was is kept: a rollback goes back to it."""
    if not yes:
        typer.confirm(f"Let {model} forget what it learnt?", abort=True)
    _command("reset", model, reason, by, wait, as_json)


@app.command()
def rollback(
    model: Name,
    version: Annotated[int, typer.Argument(help="a kept version; show lists them")],
    reason: Why,
    by: By = "",
    yes: Yes = False,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Go back to a kept version's weights and champion, and learn on from there."""
    with asking(settings_and_secrets()) as api:
        kept = _model(api, model)["kept"]
    if version not in kept:
        there = ", ".join(map(str, kept)) or "none yet: one is kept a day"
        raise UserError(f"version {version} of {model} is not kept", f"there are: {there}")
    if not yes:
        typer.confirm(f"Let {model} go back to version {version:,}?", abort=True)
    _command("rollback", model, reason, by, wait, as_json, version=version)


@app.command()
def promote(
    model: Name,
    candidate: Annotated[str, typer.Argument(help="who is to serve; show lists them")],
    reason: Why,
    by: By = "",
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Let a candidate serve, until the rule or a person puts another in its place."""
    with asking(settings_and_secrets()) as api:
        there = _model(api, model)["evidence"]
    if candidate not in there:
        named = ", ".join(there) or "none"
        raise UserError(f"{model} has no challenger {candidate!r}", f"there are: {named}")
    _command("promote", model, reason, by, wait, as_json, candidate=candidate)


def _model(api: Api, model: str) -> Json:
    return api.get(f"/v1/models/{quote(model, safe='')}")


def _command(
    action: str, model: str, reason: str, by: str, wait: float, as_json: bool, **given: Any
) -> None:
    """Append a command to the model's log, wait for its learner, and tell what came of it."""
    settings = settings_and_secrets()
    with asking(settings) as api:
        _model(api, model)  # one that is not there is named before anything is said
        said = model_log.command(model, action, by or getpass.getuser(), reason, **given)
        offset = model_log.say(settings, said)
        change = _outcome(api, model, offset, wait)
    if as_json:
        typer.echo(json.dumps({"offset": offset, "change": change}, ensure_ascii=False))
    elif change is None:
        typer.secho(
            f"in the log at offset {offset:,}; its learner has not come to it yet", fg="yellow"
        )
    elif change["kind"] == "refused":
        typer.secho(f"refused: {change['reason']}", fg="red", err=True)
    else:
        typer.secho(f"done: {models_view.happened(change)}", fg="green")
    if change is not None and change["kind"] == "refused":
        raise typer.Exit(1)


def _outcome(api: Api, model: str, offset: int, wait: float) -> Json | None:
    """Return what the command at an offset changed; None while its learner is not there."""
    end = time.monotonic() + wait
    with Terminal(stderr=True).status("waiting for the learner"):
        while True:
            for change in _model(api, model)["history"]:
                if change["offset"] == offset:
                    return dict(change)
            if time.monotonic() >= end:
                return None
            time.sleep(0.2)
