"""`c360 models …`: what the models are, and a person's word to their learners."""

from __future__ import annotations

import typer

from infra.cli import models_file, models_fit, models_policy

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="The models: show them, command their learners, evaluate policies and learners.",
)


@app.callback()
def models() -> None:
    """Show the models, command their learners, evaluate policies and learners."""


app.command("evaluate-file")(models_file.command)
app.command("evaluate")(models_policy.command)
app.command("fit")(models_fit.command)
