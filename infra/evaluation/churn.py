"""A file's rows through the binary learners, and what is told of it.

The same encoder, candidates and rule of promotion as in the stream; a row's label reaches
each of them at its own time, never sooner.
"""

from __future__ import annotations

from typing import Any

from infra.evaluation.batch import Batch
from infra.evaluation.label import Label, label
from infra.evaluation.paired import Served
from infra.evaluation.pupil import Contestants
from infra.evaluation.reading import Raw, Reader, Tell, contents
from infra.evaluation.roles import OFFERS, Asked, check, roles
from infra.evaluation.table import Source
from infra.evaluation.verdict import verdict
from models.online.encoding import Encoder
from models.online.prequential import Prequential, Row
from models.online.tally import Tally

WINDOWS = 20  # of a file, at least WINDOW rows each
WINDOW = 250
RETRAINED = 8  # times that a batch model is trained anew within the tested part


def report(
    table: Source, asked: Asked, share: float, tell: Tell, *, batch: int = 0
) -> dict[str, Any]:
    """Predict and learn a file's rows in order; `share` of them come before the test.

    `batch`: how often batch models are trained anew within the test; 0: there are none.
    Returns what was found, as JSON types, by the keys that docs/models.md names. Raises
    UserError when the file cannot be used.
    """
    found = contents(table, tell)
    check(found, asked, OFFERS)
    notes: list[str] = []
    predicted = label(found.columns, asked, notes)
    reader = Reader(table, found, roles(found, asked, {predicted.column}, notes), predicted)
    total, tested_from = reader.rows, int(reader.rows * share)
    run = Prequential(Contestants(Encoder()), tested_from, window(total))
    served = Served(tested_from)
    seen = served.add if batch else (lambda *_: None)
    run.run(map(row_of, reader), lambda done: tell("predicting and learning", done, total), seen)
    result = _told(table, reader, predicted) | run.report() | {"window": window(total)}
    if batch:
        others = Batch(map(row_of, reader))
        add(result, others.compare(tested_from, retrained(total, tested_from, batch), tell))
        result["paired"] = {name: served.against(said) for name, said in others.said.items()}
    return result | {"verdict": verdict(result)}


def window(rows: int) -> int:
    """Return how many rows have figures of their own."""
    return max(WINDOW, -(-rows // WINDOWS))


def row_of(raw: Raw[float | None]) -> Row:
    """Return a row of a file as one to predict."""
    return Row(raw.at, raw.key, raw.cells, raw.known_at, raw.outcome)


def retrained(total: int, tested_from: int, times: int) -> range:
    """Return the rows at which batch models are trained anew, `times` times within the test."""
    step = max(1, (total - tested_from) // times)
    return range(tested_from + step, total - step // 2, step)


def add(result: dict[str, Any], tallies: dict[str, Tally]) -> None:
    """Add others' figures to a report, beside the candidates'."""
    for name, tally in tallies.items():
        result["tested"][name] = tally.figures()
        result["calibration"][name] = [part._asdict() for part in tally.calibration()]
        result["lift"][name] = tally.lift()


def _told(table: Source, reader: Reader[float], predicted: Label) -> dict[str, Any]:
    role = reader.role
    notes = list(role.notes)
    if role.label_time is None and role.delay is None:
        notes.append("each label counts as known right after its row: or --label-time, --delay")
    return {
        "kind": "churn",
        "file": table.name,
        "columns": {
            "label": predicted.column,
            "positive": predicted.positive,
            "time": role.time,
            "key": role.key,
            "label_time": role.label_time,
            "delay": role.asked.delay,
            "features": dict(role.features),
            "left_out": role.left_out,
        },
        "notes": notes,
        "trouble": {
            "rows_left_out": reader.trouble.rows,
            "cells_emptied": reader.trouble.cells,
            "told": reader.trouble.told,
        },
    }
