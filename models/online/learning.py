"""A learner: one model while its log teaches it, example by example, command by command.

All that it does follows from the log alone, wherever batches are cut: the same log gives the
same weights, reports and alerts, bit for bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from models.online.lessons import Lesson, Order
from models.online.obeying import RefusedError, obey
from models.online.snapshots import Kept, Progress, Snapshot
from models.online.window import RIVER
from models.records import Alert, Command, Example, Reserved
from models.reports import Change, ChangeKind, Figures, Report

DAY_MS = 86_400_000
KEPT: Final = 7  # earlier states: of the newest days, and before what throws one away
HISTORY: Final = 20  # changes that a report repeats
# A report is due after a quarter of the examples before it, after REPORT_MOST at the latest,
# and with the first label of a day that comes after at least REPORT_LEAST: it costs as much as
# learning from thirty examples, and a past that is read in has many days.
REPORT_MOST: Final = 1_000
REPORT_LEAST: Final = 100
_write = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(dict[str, Any]).decode


class Told(NamedTuple):
    """What goes out besides the snapshot."""

    reports: list[Report]
    alerts: list[Alert]


class Learner(ABC):
    """One model while it learns; `offset` is that of the newest record taken.

    `kept`: its earlier states by version, as `Kept` in JSON.
    """

    def __init__(
        self, model: str, before: Snapshot | None = None, kept: Mapping[int, bytes] | None = None
    ) -> None:
        self.model = model
        self.offset, self.version, self.frozen, self.horizon = -1, 0, False, ""
        self.progress = Progress()
        self.metrics: dict[str, float] = {}
        self.kept = dict(kept or {})
        self._told = Told([], [])
        self._changes: list[Change] = []  # since the newest report
        self.load(None, "")
        if before is not None:
            self._resume(before)

    def learn(self, lessons: Iterable[Lesson | Order]) -> bool:
        """Take those records that are new, in order; tell whether there were any."""
        before = self.offset
        for lesson in lessons:
            if lesson.offset <= self.offset:
                continue
            self.offset = lesson.offset
            if isinstance(lesson, Lesson):
                self._take(lesson)
            elif isinstance(lesson.command, Reserved):
                self.reserve(lesson.command)
            else:
                self._follow(lesson.command)
        return self.offset > before

    def told(self) -> Told:
        """Return what goes out since this was last asked."""
        told, self._told = self._told, Told([], [])
        return told

    def snapshot(self) -> Snapshot:
        """Return the model as it stands."""
        weights, served = self.weights(), self.served()
        return Snapshot(
            model=self.model,
            version=self.version,
            offset=self.offset,
            state={} if served is None else weights,
            served=Raw(_write(weights)) if served is None else served,
            champion=self.champion,
            horizon=self.horizon,
            frozen=self.frozen,
            river=RIVER,
            evaluation=self.evaluation(),
            metrics=self.metrics,
            progress=self.progress,
        )

    @property
    def champion(self) -> str:
        """The candidate that serves; empty where there are none."""
        return ""

    @abstractmethod
    def learn_one(self, example: Example, features: dict[str, float], received_ms: int) -> bool:
        """Judge one example and, unless frozen, learn it; tell whether it was learnt."""

    @abstractmethod
    def weights(self) -> dict[str, Any]:
        """Return the model's own state, as JSON types."""

    @abstractmethod
    def load(self, weights: dict[str, Any] | None, champion: str) -> None:
        """Go on with another state of the model; None: untrained."""

    @abstractmethod
    def learnt(self) -> int:
        """Return how many examples the weights have learnt."""

    @abstractmethod
    def figures(self) -> dict[str, Figures]:
        """Return how good the model is, by whose predictions are judged."""

    def served(self) -> Raw | None:
        """Return what predicts, for scorers; None: the weights do."""
        return None

    def evaluation(self) -> dict[str, Any]:
        """Return what is known of how good it is, as JSON types."""
        return {}

    def resume_evaluation(self, before: Snapshot) -> None:
        """Go on with what `evaluation` returned, once the weights are there."""
        _ = before  # nothing was returned

    def promote(self, candidate: str) -> tuple[str, dict[str, float]]:
        """Let a candidate serve; return who did before, and figures. Raises RefusedError."""
        raise RefusedError("the model has no candidates")

    def fit(self, command: Command) -> None:
        """Take over fitted parameters. Raises RefusedError."""
        raise RefusedError("the model has no fitted parameters")

    def reserve(self, word: Reserved) -> None:
        """Note what became of a unit in stock."""
        _ = word  # what has no stock need not know

    def described(self, report: Report) -> Report:
        """Return the report with what only this kind of model tells."""
        return report

    def raise_alert(self, alert: Alert) -> None:
        """Let an alert about the model go out."""
        self._told.alerts.append(alert)

    def note(
        self,
        kind: ChangeKind,
        by: str,
        reason: str,
        *,
        before: str = "",
        after: str = "",
        figures: dict[str, float] | None = None,
    ) -> None:
        """Write down a change of the model."""
        change = Change(
            change_id=f"{self.model}:{self.offset}:{kind}",
            model=self.model,
            kind=kind,
            offset=self.offset,
            version=self.version,
            at_ms=self.progress.at_ms,
            by=by,
            reason=reason,
            before=before,
            after=after,
            figures=figures or {},
        )
        self._changes.append(change)
        history = [*self.progress.history, change][-HISTORY:]
        self.progress = replace(self.progress, history=history)

    def _resume(self, before: Snapshot) -> None:
        self.offset, self.version, self.frozen = before.offset, before.version, before.frozen
        self.horizon, self.progress = before.horizon, before.progress
        self.metrics = before.metrics
        self.load(before.state or _read(before.served), before.champion)
        self.resume_evaluation(before)

    def _take(self, lesson: Lesson) -> None:
        label_ms, before = lesson.example.label_ms, self.progress
        day = label_ms // DAY_MS
        if before.kept_day < 0:
            self.progress = replace(before, kept_day=day)
        elif day > before.kept_day and self.learnt():
            self.keep(day)
        self.version += self.learn_one(lesson.example, lesson.features, lesson.received_ms)
        self.progress = replace(
            self.progress, seen=before.seen + 1, at_ms=max(before.at_ms, label_ms)
        )
        new = before.seen + 1 - before.reported
        if (
            self._changes
            or new >= max(1, min(REPORT_MOST, before.reported // 4))
            or (day > before.reported_day and new >= REPORT_LEAST)
        ):
            self._report(day)

    def _follow(self, command: Command) -> None:
        self.progress = replace(self.progress, at_ms=max(self.progress.at_ms, command.at_ms))
        try:
            obey(self, command)
        except RefusedError as error:
            self.note("refused", command.by, f"{command.action}: {error}")
        self._report(self.progress.at_ms // DAY_MS)

    def keep(self, day: int | None = None) -> None:
        """Keep the state as it is now, of KEPT at most; `day`: the end of which it is."""
        self.kept[self.version] = _write(
            Kept(
                model=self.model,
                version=self.version,
                learnt=self.learnt(),
                champion=self.champion,
                horizon=self.horizon,
                state=Raw(_write(self.weights())),
            )
        )
        for version in sorted(self.kept)[:-KEPT]:
            del self.kept[version]
        day = self.progress.kept_day if day is None else day
        self.progress = replace(self.progress, kept_day=day, kept=sorted(self.kept))

    def _report(self, day: int) -> None:
        figures = self.figures()
        if "served" in figures:
            self.metrics = figures["served"].metrics
        self._told.reports.append(
            self.described(
                Report(
                    report_id=f"{self.model}:{self.offset}",
                    model=self.model,
                    version=self.version,
                    learnt=self.learnt(),
                    offset=self.offset,
                    at_ms=self.progress.at_ms,
                    champion=self.champion,
                    horizon=self.horizon,
                    frozen=self.frozen,
                    river=RIVER,
                    figures=figures,
                    kept=sorted(self.kept),
                    changes=self._changes,
                    history=self.progress.history,
                )
            )
        )
        self._changes = []
        seen = self.progress.seen
        day = max(day, self.progress.reported_day)
        self.progress = replace(self.progress, reported=seen, reported_day=day)
