"""The models learnt anew from `examples`, in log order, as the learner does: same log, same bytes.

Examples are kept for 90 days. What was learnt from those that are gone is out of reach: such a
model is another than the live one, knows less, and takes its place only if one insists.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, NamedTuple

import msgspec

from infra.errors import UserError
from infra.rebuild.state import follow, write
from infra.rebuild.workers import Say, stopped
from infra.settings import Settings
from infra.verify.log import Reading
from infra.verify.work import Progress
from models.online.churn import ChurnModel
from models.online.learner import CHURN, MODELS, Learner, Lesson, resume
from models.online.offers import OfferModel
from models.online.snapshots import Snapshot, SnapshotError, decode, encode
from models.records import Example, unpack
from models.topics import EXAMPLES, MODEL_SNAPSHOTS
from streams.lane.restore import Copy
from streams.lane.store import MemoryStore

TRIED = 500  # newest examples, on whose features both models predict
_read = msgspec.json.Decoder(Example).decode


class Relearnt(NamedTuple):
    """One model learnt anew beside the live one, which is at `version`."""

    model: str
    partition: int
    version: int  # examples that the live one has learnt
    learnt: int  # by the new one, as far as the live one goes
    forgotten: int  # examples that the topic no longer has
    equal: bool  # the very same bytes
    largest: float | None  # difference of their predictions; None: the live one has none
    value: bytes  # the new one, all there is learnt
    ahead: int  # examples that it has learnt and the live one has not yet
    written: bool = False


def learn_anew(settings: Settings, progress: Progress) -> list[Relearnt]:
    """Learn all examples again and compare with the live snapshots. Nothing is written.

    Raises UserError when a snapshot is not signed with our secret, or none is set.
    """
    return asyncio.run(_all(settings, progress))[0]


def swap(settings: Settings, say: Say, *, forget: bool) -> list[Relearnt]:
    """Publish the models learnt anew as the newest snapshots; the workers rest meanwhile.

    Raises UserError when examples are gone that the live ones have learnt, but for `forget`.
    """
    with stopped(settings, say):
        learnt, copies = asyncio.run(_all(settings, lambda done, there: None))
        gone = [one.model for one in learnt if one.forgotten and not one.equal]
        if gone and not forget:
            raise UserError(
                f"examples that {', '.join(gone)} learnt from are gone",
                "--forget puts a model in its place that knows only what is left",
            )
        done = []
        for one in learnt:
            if not one.equal or one.ahead:
                epoch = copies[one.partition].store.stamp.epoch
                write(
                    settings, MODEL_SNAPSHOTS, one.partition, {one.model.encode(): one.value}, epoch
                )
                one = one._replace(written=True)
            done.append(one)
    return done


async def _all(settings: Settings, progress: Progress) -> tuple[list[Relearnt], dict[int, Copy]]:
    key = settings.snapshot_secret.get_secret_value().encode()
    if not key:
        raise UserError("C360_SNAPSHOT_SECRET is not set", "set it to that of the workers")
    found: list[Relearnt] = []
    copies: dict[int, Copy] = {}
    for partition in range(EXAMPLES.partitions or 1):
        copy = copies[partition] = Copy(MemoryStore())
        await follow(settings, MODEL_SNAPSHOTS, partition, copy)
        try:
            live = {
                name.decode(): decode(value, key) for name, value in copy.store.contents.items()
            }
        except SnapshotError as error:
            raise UserError(f"a snapshot cannot be read: {error}", "") from error
        school = await _learn(settings, partition, live, progress)
        for model in sorted(school.learners):
            stored = copy.store.contents.get(model.encode())
            found.append(school.compared(model, live.get(model), stored, key))
    return found, copies


async def _learn(
    settings: Settings, partition: int, live: dict[str, Snapshot], progress: Progress
) -> School:
    async with Reading(settings, EXAMPLES, partition) as log:
        school, end = School(partition, log.begin, live), await log.end()
        async for records in log.upto(end):
            for record in records:
                school.take(record.offset, record.value)
            progress(log.position - log.begin, end - log.begin)
    return school


class School:
    """The learners of one partition, each from nothing."""

    def __init__(self, partition: int, begin: int, live: dict[str, Snapshot]) -> None:
        self.learners: dict[str, Learner] = {model: resume(model, None) for model in live}
        self._partition, self._begin, self._live = partition, begin, live
        self._then: dict[str, Snapshot] = {}  # as each was at the live one's offset
        self._newest: dict[str, deque[Example]] = {}

    def take(self, offset: int, value: bytes | None) -> None:
        """Learn one record, if it is an example: the learner buries what is none."""
        try:
            example = _read(value or b"")
            features = unpack(example.features)
        except msgspec.MsgspecError:
            return
        if example.model not in MODELS:
            return
        learner = self.learners.setdefault(example.model, resume(example.model, None))
        learner.learn([Lesson(offset, example, features)])
        live = self._live.get(example.model)
        if live is not None and offset == live.offset:
            self._then[example.model] = learner.snapshot()
        self._newest.setdefault(example.model, deque(maxlen=TRIED)).append(example)

    def compared(
        self, model: str, live: Snapshot | None, stored: bytes | None, key: bytes
    ) -> Relearnt:
        """Return a model learnt anew, compared with the live one at the same example."""
        newest = self.learners[model].snapshot()
        then = self._then.get(model)
        version = 0 if live is None else live.version
        learnt = 0 if then is None else then.version
        largest = None
        if live is not None and then is not None:
            tried = self._newest.get(model, ())
            pairs = zip(_predicted(live, tried), _predicted(then, tried), strict=True)
            largest = max((abs(a - b) for a, b in pairs), default=0.0)
        return Relearnt(
            model,
            self._partition,
            version,
            learnt,
            self._begin,
            then is not None and encode(then, key) == stored,
            largest,
            encode(newest, key),
            newest.version - learnt,
        )


def _predicted(snapshot: Snapshot, examples: Any) -> list[float]:
    """Return what a model predicts from the features of some examples."""
    if snapshot.model == CHURN:
        churn = ChurnModel.from_state(snapshot.state)
        return [churn.chance(unpack(one.features)) for one in examples]
    offers = OfferModel.from_state(snapshot.state)
    return [offers.predict_one(unpack(one.features), one.arm or "none")[0] for one in examples]
