"""The models learnt anew from their log, in its order, as the learner does: same log, same bytes.

Examples are kept for 90 days. What was learnt from those that are gone is out of reach: such a
model is another than the live one, knows less, and takes its place only if one insists.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, NamedTuple

from infra.errors import UserError
from infra.rebuild.state import follow, write
from infra.rebuild.workers import Say, stopped
from infra.settings import Settings
from infra.verify.log import Reading
from infra.verify.work import Progress
from models.errors import TouchpointRejectedError
from models.judge import Judge
from models.online.learner import (
    BINARY,
    MODELS,
    OFFERS,
    Learner,
    Lesson,
    Order,
    read_lesson,
    resume,
)
from models.online.seating import seated
from models.online.signing import SnapshotError, seal
from models.online.snapshots import (
    FormatError,
    Sight,
    Snapshot,
    decode,
    encode,
    is_kept,
    kept_key,
)
from models.topics import EXAMPLES, MODEL_SNAPSHOTS
from streams.lane.restore import Copy
from streams.lane.store import MemoryStore

TRIED = 500  # newest examples, on whose features both models predict


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
    kept: dict[bytes, bytes]  # its earlier states, as they are stored
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
                store = copies[one.partition].store
                gone_by: dict[bytes, bytes | None] = {
                    key: None for key in store.contents if key.startswith(f"{one.model}@".encode())
                }
                changes = gone_by | one.kept | {one.model.encode(): one.value}
                write(settings, MODEL_SNAPSHOTS, one.partition, changes, store.stamp.epoch)
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
        live = _live(copy, key)
        school = await _learn(settings, partition, live, key, progress)
        for model in sorted(school.learners):
            stored = copy.store.contents.get(model.encode())
            found.append(school.compared(model, live.get(model), stored))
    return found, copies


def _live(copy: Copy, key: bytes) -> dict[str, Snapshot]:
    """Return the live models; those that another version of this code wrote are as if not there."""
    found = {}
    for name, value in copy.store.contents.items():
        if is_kept(name):
            continue
        try:
            found[name.decode()] = decode(value, key)
        except FormatError:
            continue
        except SnapshotError as error:
            raise UserError(f"a snapshot cannot be read: {error}", "") from error
    return found


async def _learn(
    settings: Settings, partition: int, live: dict[str, Snapshot], key: bytes, progress: Progress
) -> School:
    async with Reading(settings, EXAMPLES, partition) as log:
        school, end = School(partition, log.begin, live, key), await log.end()
        async for records in log.upto(end):
            for record in records:
                school.take(record.offset, record.value)
            progress(log.position - log.begin, end - log.begin)
    return school


class School:
    """The learners of one partition, each from nothing."""

    def __init__(self, partition: int, begin: int, live: dict[str, Snapshot], key: bytes) -> None:
        self.learners: dict[str, Learner] = {
            model: resume(model) for model in live if model in MODELS
        }
        self._partition, self._begin, self._live, self._key = partition, begin, live, key
        self._then: dict[str, bytes] = {}  # as each was at the live one's offset
        self._newest: dict[str, deque[Lesson]] = {}

    def take(self, offset: int, value: bytes | None) -> None:
        """Take one record, if it is one of a model's log: the learner buries what is none."""
        try:
            lesson = read_lesson(offset, value)
        except TouchpointRejectedError:
            return
        model = lesson.command.model if isinstance(lesson, Order) else lesson.example.model
        if model not in MODELS:
            return
        learner = self.learners.setdefault(model, resume(model))
        learner.learn([lesson])
        learner.told()  # what it tells was told when it was learnt first
        live = self._live.get(model)
        if live is not None and offset == live.offset:
            self._then[model] = encode(learner.snapshot(), self._key)  # at once: it learns on
        if isinstance(lesson, Lesson):
            self._newest.setdefault(model, deque(maxlen=TRIED)).append(lesson)

    def compared(self, model: str, live: Snapshot | None, stored: bytes | None) -> Relearnt:
        """Return a model learnt anew, compared with the live one at the same example."""
        learner = self.learners[model]
        newest = learner.snapshot()
        key, found = self._key, self._then.get(model)
        then = None if found is None else decode(found, key)
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
            found is not None and found == stored,
            largest,
            encode(newest, key),
            newest.version - learnt,
            {kept_key(model, at): seal(body, key) for at, body in learner.kept.items()},
        )


def _predicted(snapshot: Snapshot, lessons: Any) -> list[float]:
    """Return what a model predicts from the features of some examples."""
    sight = Sight(
        model=snapshot.model,
        version=snapshot.version,
        served=snapshot.served,
        horizon="",
        format=snapshot.format,
    )
    judge = seated(Judge.untrained(), sight)
    if snapshot.model in BINARY:
        served = getattr(judge, snapshot.model)
        return [served.chance(one.features) for one in lessons]
    if snapshot.model == OFFERS:
        arms = [(one.features, one.example.arm or "none") for one in lessons]
        return [judge.offers.predict_one(features, arm)[0] for features, arm in arms]
    return []
