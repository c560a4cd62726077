"""Step 6, learn: examples, commands -> model-snapshots, model-reports, alerts of drift.

One writer a model: all that is for a model is on one partition. The snapshot is the
state, so what was learnt and how far is one record: a crash learns nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from models.errors import Reason, TouchpointRejectedError
from models.online.learner import MODELS, Learner, Lesson, Order, read_lesson, resume
from models.online.signing import seal, unseal
from models.online.snapshots import Snapshot, decode, encode, kept_key
from models.reports import Report
from models.topics import ALERTS, EXAMPLES, MODEL_REPORTS, MODEL_SNAPSHOTS
from streams import topics
from streams.app import app
from streams.dead_letters import bury
from streams.judge import secret
from streams.lane import Batch, Outbox, Record, View

# A snapshot is written whole, however few examples came: after a small batch the learner waits,
# so that the changelog grows by no more than this a second. What comes meanwhile is the next
# batch, and where batches are cut changes no bit. Who catches up has large ones and never waits.
BYTES_A_SECOND = 200_000
SMALL = 500  # records: learning them costs ten times what writing a snapshot does
LOOK = 0.05  # seconds between looks whether so many wait by now that the next batch is not small
TURN = 8  # examples, some milliseconds: then others get theirs on the event loop

models = app.StateTable("models", source=EXAMPLES, changelog=MODEL_SNAPSHOTS)
_write = msgspec.json.Encoder().encode
# The newest report of each model that this worker learns, for its own pages.
newest: dict[str, Report] = {}


def status() -> dict[str, Any]:
    """Return what the newest reports say, by metric and model, for this worker's own pages."""
    judged = ("auc_window", "log_loss_window", "brier_window", "ece_window", "lift_window")
    found: dict[str, Any] = {
        metric: {
            model: {
                name: figures.metrics[metric]
                for name, figures in report.figures.items()
                if metric in figures.metrics
            }
            for model, report in newest.items()
        }
        for metric in (*judged, "base_rate_window")
    }
    return found | {
        "version": {model: report.version for model, report in newest.items()},
        "champion": {model: {one.champion: 1} for model, one in newest.items() if one.champion},
        "frozen": {model: int(report.frozen) for model, report in newest.items()},
        "drifting": {model: int(report.drifting) for model, report in newest.items()},
        "evidence": {model: report.evidence for model, report in newest.items()},
    }


app.tells["models"] = status


@app.agent(topics.examples, name="learn")
async def learning(batches: Any) -> None:
    """Learn each batch of examples, in log order."""
    school = School(secret())
    async for batch in batches:
        state = await models.open(batch)
        outbox = Outbox()
        for _ in school.steps(batch, state, outbox):
            await asyncio.sleep(0)
        await app.complete(batch, outbox, state)
        await rest(batch, pause(batch, state))


def pause(batch: Batch, state: View) -> float:
    """Return how many seconds to wait after a batch that changed the state."""
    written = sum(len(value or b"") for value in state.changes.values())
    return written / BYTES_A_SECOND if len(batch) < SMALL else 0.0


async def rest(batch: Batch, seconds: float) -> None:
    """Wait so long, or until no small batch waits: who reads a past in waits for the learner."""
    place = (app.prefix + batch.topic, batch.partition)
    while seconds > 0 and (app.lags().get(place) or 0) < SMALL:
        await asyncio.sleep(min(seconds, LOOK))
        seconds -= LOOK


class School:
    """The learners by model, signing with `key`; kept from batch to batch.

    One that is kept counts only while the state is the very value that it wrote last:
    so nothing has to be told when a batch is refused or the partition changes hands.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._kept: dict[str, tuple[bytes, Learner]] = {}

    def advance(self, batch: Batch, state: View, outbox: Outbox) -> None:
        """Put each model's snapshot as it stands after the batch, and what it tells.

        Raises SnapshotError when the state is not signed with our key: the secret was
        changed, and going on would throw away what was learnt.
        """
        for _ in self.steps(batch, state, outbox):
            pass

    def steps(self, batch: Batch, state: View, outbox: Outbox) -> Iterator[None]:
        """Do what `advance` does, a few examples at a time: between two of them others may work."""
        for model, lessons in _by_model(batch, outbox).items():
            learner = self._take(model, state)
            before = set(learner.kept)
            news, rest = False, iter(lessons)
            while some := list(islice(rest, TURN)):
                news = learner.learn(some) or news
                yield
            if news:
                value = self._put(learner, before, state)
                _tell(learner, outbox)
                self._kept[model] = value, learner
                yield

    def _take(self, model: str, state: View) -> Learner:
        # Out of `_kept` while it learns: half a batch may be all that it gets.
        stored = state.get(model.encode())
        written, learner = self._kept.pop(model, (None, None))
        if learner is not None and written == stored:
            return learner
        if stored is None:
            return resume(model)
        before = decode(stored, self._key)
        return resume(model, before, self._earlier(before, state))

    def _earlier(self, before: Snapshot, state: View) -> dict[int, bytes]:
        found = {
            version: state.get(kept_key(before.model, version)) for version in before.progress.kept
        }
        return {version: unseal(value, self._key) for version, value in found.items() if value}

    def _put(self, learner: Learner, before: set[int], state: View) -> bytes:
        """Put the snapshot, and beside it the earlier states that came and went.

        In this order: one that goes must be there until the snapshot does without it.
        """
        model, kept = learner.model, learner.kept
        for version in sorted(kept.keys() - before):
            state.put(kept_key(model, version), seal(kept[version], self._key))
        value = encode(learner.snapshot(), self._key)
        state.put(model.encode(), value)
        for version in sorted(before - kept.keys()):
            state.put(kept_key(model, version), None)
        return value


def _tell(learner: Learner, outbox: Outbox) -> None:
    reports, alerts = learner.told()
    for report in reports:
        outbox.send(MODEL_REPORTS, report.model.encode(), _write(report))
        newest[report.model] = report
    for alert in alerts:
        outbox.send(ALERTS, alert.customer_id.encode(), _write(alert))


def _by_model(batch: Batch, outbox: Outbox) -> dict[str, list[Lesson | Order]]:
    """Return a batch's records by model; what is neither example nor command is buried."""
    found: dict[str, list[Lesson | Order]] = {}
    for record in batch:
        try:
            model, lesson = _lesson(record)
        except TouchpointRejectedError as rejected:
            bury(outbox, batch, record, rejected)
            continue
        found.setdefault(model, []).append(lesson)
    return found


def _lesson(record: Record) -> tuple[str, Lesson | Order]:
    lesson = read_lesson(record.offset, record.value, record.timestamp)
    model = lesson.command.model if isinstance(lesson, Order) else lesson.example.model
    if model not in MODELS:
        raise TouchpointRejectedError(Reason.UNKNOWN_TYPE, "no such model", "model")
    return model, lesson
