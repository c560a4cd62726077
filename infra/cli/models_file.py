"""`c360 models evaluate-file PATH`: the stream's learners on anybody's rows, prequentially."""

from __future__ import annotations

from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from infra.cli.models_file_view import bar, show
from infra.cli.terminal import Terminal
from infra.errors import UserError
from infra.evaluation import bandit, churn
from infra.evaluation.page import page
from infra.evaluation.roles import Asked
from infra.evaluation.table import Table


class Kind(StrEnum):
    """What the rows are."""

    CHURN = "churn"  # features and a label with two values
    OFFERS = "offers"  # a context, an arm or a choice, and a reward


class Compare(StrEnum):
    """What the learners are compared with."""

    BATCH = "batch"


def command(
    path: Annotated[Path, typer.Argument(help="JSON Lines, CSV or Parquet; .gz too")],
    kind: Annotated[Kind, typer.Option(help="what the rows are")] = Kind.CHURN,
    time: Annotated[str | None, typer.Option(help="column of each row's time")] = None,
    time_format: Annotated[
        str | None, typer.Option(help="how times are written, as strptime has it")
    ] = None,
    key: Annotated[str | None, typer.Option(help="column that says whose row it is")] = None,
    label: Annotated[str | None, typer.Option(help="churn: column of what came true")] = None,
    positive: Annotated[
        str | None, typer.Option(help="churn: the label's value that is predicted")
    ] = None,
    label_time: Annotated[
        str | None, typer.Option(help="column that says when a label or reward was known")
    ] = None,
    delay: Annotated[
        float | None, typer.Option(min=0, help="days after which each label is known")
    ] = None,
    features: Annotated[
        list[str] | None, typer.Option(help="columns to predict from; several: a,b,c")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="columns not to predict from; several: a,b,c")
    ] = None,
    choice: Annotated[
        str | None, typer.Option(help="offers: column of the arm that was right, of all arms")
    ] = None,
    arm: Annotated[str | None, typer.Option(help="offers: column of the arm taken")] = None,
    reward: Annotated[
        str | None, typer.Option(help="offers: column of what the arm earned")
    ] = None,
    propensity: Annotated[
        str | None, typer.Option(help="offers: column of the chance the arm was taken with")
    ] = None,
    eligible: Annotated[
        str | None,
        typer.Option(help="offers: column of the arms that could be taken: a JSON list, a|b|c"),
    ] = None,
    shuffle: Annotated[
        bool, typer.Option("--shuffle", help="without times: rows that are sorted by something")
    ] = False,
    control: Annotated[
        str | None, typer.Option(help="offers: the arm of those who were left untreated")
    ] = None,
    split: Annotated[
        float, typer.Option(min=0, max=0.99, help="share of the rows before the tested part")
    ] = 0.5,
    compare: Annotated[
        Compare | None, typer.Option(help="batch: scikit-learn's models on the same rows")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="write the report there: .html or .md")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON")] = False,
) -> None:
    """Predict every row of a file at its time, learn it when its label is known, and report.

    The learners are those of the stream. Columns not named are found by name and content,
    and the report says so. Rows that cannot be used are counted and told.
    """
    if report is not None and report.suffix.lower() not in (".html", ".md"):
        raise UserError(f"{report}: a report is .html or .md", "Name it so.")
    asked = Asked(
        time=time,
        key=key,
        label=label,
        label_time=label_time,
        delay=delay,
        features=_several(features),
        drop=_several(drop),
        positive=positive,
        time_format=time_format,
        choice=choice,
        arm=arm,
        reward=reward,
        propensity=propensity,
        eligible=eligible,
        control=control,
        shuffle=shuffle,
    )
    console = Terminal(stderr=True)
    table = Table(path, eligible)
    with nullcontext(_silent) if as_json else bar(console) as tell:
        run = churn.report if kind is Kind.CHURN else bandit.report
        result: dict[str, Any] = run(
            table, asked, split, tell, batch=churn.RETRAINED if compare else 0
        )
    if report is not None:
        page(result, report)
    if as_json:
        typer.echo(orjson.dumps(result, option=orjson.OPT_SERIALIZE_NUMPY).decode())
    else:
        show(Terminal(), result)


def _several(given: list[str] | None) -> tuple[str, ...]:
    return tuple(name.strip() for one in given or () for name in one.split(",") if name.strip())


def _silent(doing: str, done: int, total: int) -> None:
    pass
