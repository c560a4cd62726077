"""`model_metrics` and `model_changes`: how good models are over time, and what changed them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from models.reports import Change, Figures, Report
from projections.rows.kinds import LABEL, MILLISECONDS, POSITION
from projections.table import Projected, Record, Row, Table

METRICS = Table(
    name="model_metrics",
    columns={
        "model": LABEL,
        "candidate": LABEL,
        "metric": LABEL,
        "model_offset": "UInt64",
        "at": MILLISECONDS,
        "version": "UInt64",
        "value": "Float64",
        "series": "Array(Float64)",
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="model, candidate, metric, model_offset",
)
CHANGES = Table(
    name="model_changes",
    columns={
        "model": LABEL,
        "at": MILLISECONDS,
        "change_id": "String",
        "kind": LABEL,
        "model_offset": "UInt64",
        "version": "UInt64",
        "by": "String",
        "reason": "String",
        "before": "String",
        "after": "String",
        "figures": "Map(LowCardinality(String), Float64)",
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="model, at, change_id",
)
WHOLE = "model"  # the candidate of what is measured of the model as a whole
_decoder = msgspec.json.Decoder(Report)


def project(record: Record) -> Projected:
    """Return the rows of one record of `model-reports`."""
    report = _decoder.decode(record.value or b"")
    at = (record.partition, record.offset)
    return [
        *((METRICS, row) for row in _metrics(report, at)),
        *((CHANGES, _change(change, at)) for change in report.changes),
    ]


def _metrics(report: Report, at: tuple[int, int]) -> Iterator[Row]:
    place = (report.offset, report.at_ms, report.version)
    for candidate, metric, value, series in _measured(report):
        yield (report.model, candidate, metric, *place, value, series, *at)


def _measured(report: Report) -> Iterator[tuple[str, str, float, list[float]]]:
    """Yield (candidate, metric, value, series) of all that a report measures."""
    for candidate, figures in report.figures.items():
        for metric, value in figures.metrics.items():
            yield candidate, metric, value, []
        for name, series in _series(figures).items():
            yield candidate, name, float(len(series)), series
    for candidate, evidence in report.evidence.items():
        yield candidate, "evidence", evidence, []
    if report.champion:
        yield report.champion, "champion", 1.0, []
    whole = {f"watched_{measure}": value for measure, value in report.drift.items()} | {
        "threshold": report.threshold,
        "learnt": float(report.learnt),
        "frozen": float(report.frozen),
        "drifting": float(report.drifting),
    }
    for metric, value in whole.items():
        yield WHOLE, metric, value, []


def _series(figures: Figures) -> dict[str, list[float]]:
    found = {"lift": figures.lift} if figures.lift else {}
    if figures.calibration:
        names = ("calibration_count", "calibration_predicted", "calibration_happened")
        columns = zip(*figures.calibration, strict=True)
        found |= {name: [*map(float, column)] for name, column in zip(names, columns, strict=True)}
    return found


def _change(change: Change, at: tuple[int, int]) -> Row:
    return (
        change.model,
        change.at_ms,
        change.change_id,
        change.kind,
        change.offset,
        change.version,
        change.by,
        change.reason,
        change.before,
        change.after,
        change.figures,
        *at,
    )
