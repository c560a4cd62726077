"""The models as their learners report them: the newest report of each, and how they came there."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from models.reports import Report, judged_as

KEPT = 5_000  # newest reports read at the start
POINTS = 400  # of each model's past that are kept for its lines
_read = msgspec.json.Decoder(Report).decode


class Point(NamedTuple):
    """A model's figures at one version, by whose predictions are judged."""

    version: int
    at_ms: int
    champion: str
    metrics: dict[str, dict[str, float]]

    def judged(self) -> dict[str, float]:
        """Return the figures that stand for the model."""
        return self.metrics.get(judged_as(self.metrics, self.champion), {})


class Models:
    """Every model's newest report and newest points."""

    def __init__(self) -> None:
        self.unreadable = 0
        self._newest: dict[str, Report] = {}
        self._points: dict[str, deque[Point]] = {}

    def apply(self, records: Sequence[Any]) -> None:
        """Take in records of `model-reports`; one that comes again changes nothing."""
        for record in records:
            try:
                report = _read(record.value or b"")
            except msgspec.MsgspecError:
                self.unreadable += 1
                continue
            before = self._newest.get(report.model)
            if before is not None and report.offset <= before.offset:
                continue
            self._newest[report.model] = report
            points = self._points.setdefault(report.model, deque(maxlen=POINTS))
            points.append(_point(report))

    def names(self) -> list[str]:
        """Return the models that have reported, by name."""
        return sorted(self._newest)

    def newest(self, model: str) -> Report | None:
        """Return a model's newest report."""
        return self._newest.get(model)

    def points(self, model: str) -> list[Point]:
        """Return a model's past, oldest first."""
        return list(self._points.get(model, ()))


def _point(report: Report) -> Point:
    metrics = {name: figures.metrics for name, figures in report.figures.items()}
    return Point(report.version, report.at_ms, report.champion, metrics)
