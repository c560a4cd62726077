"""A file's choices through the offer model, and what is told of it."""

from __future__ import annotations

from typing import Any

from infra.errors import UserError
from infra.evaluation.form import Form, Outcome
from infra.evaluation.reading import Raw, Reader, Tell, contents
from infra.evaluation.roles import CHURN, Asked, check, roles
from infra.evaluation.table import Source
from infra.evaluation.thompson import Thompson
from infra.evaluation.uplift import Uplifts, control_of, verdict_of_uplift
from infra.evaluation.verdict import verdict_of_offers
from models.online.prequential_offers import Choice, Trial

WINDOWS, WINDOW = 20, 100


def report(
    table: Source, asked: Asked, share: float, tell: Tell, *, batch: int = 0
) -> dict[str, Any]:
    """Decide and learn a file's rows in order; `share` of them come before the test.

    Returns what was found, as JSON types, by the keys that docs/models.md names. Raises
    UserError when the file cannot be used.
    """
    if batch:
        raise UserError("--compare batch is for --kind churn", "Leave it out.")
    found = contents(table, tell)
    check(found, asked, CHURN)
    notes: list[str] = []
    form = Form(found, asked, notes)
    reader = Reader(table, found, roles(found, asked, form.columns, notes), form)
    total = reader.labelled
    tested_from = int(total * share)
    window = max(WINDOW, -(-total // WINDOWS))
    stated = _stated(reader, tested_from)
    trial = Trial(Thompson(stated), form.arms, tested_from, window)
    control = None if form.arm is None else control_of(form.arms, asked.control, notes)
    uplifts = None if control is None else Uplifts(form.arms, control, tested_from)
    seen = (lambda *_: None) if uplifts is None else uplifts.add
    trial.run(_choices(reader), lambda done: tell("deciding and learning", done, total), seen)
    role = reader.role
    if trial.rows < reader.rows:
        notes.append(f"{reader.rows - trial.rows:,} rows have no reward that is known: not counted")
    result = {
        "kind": "offers",
        "file": table.name,
        "columns": {
            "choice": form.choice, "arm": form.arm, "reward": form.reward,
            "propensity": form.propensity, "eligible": form.eligible, "time": role.time,
            "key": role.key, "label_time": role.label_time, "delay": asked.delay,
            "features": dict(role.features), "left_out": role.left_out,
        },
        "notes": role.notes,
        "trouble": {
            "rows_left_out": reader.trouble.rows,
            "cells_emptied": reader.trouble.cells,
            "told": reader.trouble.told,
        },
        "full_information": form.arm is None,
        "conversion_worth": stated,
        "window": window,
        "uplift": None if uplifts is None else uplifts.report(),
        **trial.report(),
    }  # fmt: skip
    verdict = [*verdict_of_offers(result), *verdict_of_uplift(result["uplift"])]
    return result | {"verdict": verdict}


def _choices(reader: Reader[Outcome]) -> Any:
    for raw in reader:
        outcome = raw.outcome
        if outcome is not None:
            yield _choice(raw, outcome)


def _choice(raw: Raw[Outcome | None], outcome: Outcome) -> Choice:
    return Choice(
        raw.at, raw.key, raw.cells, outcome.eligible, outcome.rewards, raw.known_at,
        outcome.arm, outcome.propensity,
    )  # fmt: skip


def _stated(reader: Reader[Outcome], rows: int) -> float:
    """Return what a conversion brings on average in the rows before the test; 1: there is none."""
    count, total = 0, 0.0
    for place, raw in enumerate(reader):
        if place >= max(rows, WINDOW):
            break
        if raw.outcome is not None:
            brought = [reward for reward in raw.outcome.rewards.values() if reward > 0]
            count, total = count + len(brought), total + sum(brought)
    return total / count if count else 1.0
