"""Step 6, learn: examples -> model-snapshots.

One writer a model: all examples of a model are on one partition. The snapshot is the
state, so what was learnt and how far is one record: a crash learns nothing twice.
"""

from __future__ import annotations

from typing import Any

import msgspec

from models.errors import Reason, TouchpointRejectedError
from models.online.learner import MODELS, Learner, Lesson, resume
from models.online.snapshots import decode, encode
from models.records import Example, unpack
from models.topics import EXAMPLES, MODEL_SNAPSHOTS
from streams import topics
from streams.app import app
from streams.dead_letters import bury
from streams.judge import secret
from streams.lane import Batch, Outbox, Record, View

models = app.StateTable("models", source=EXAMPLES, changelog=MODEL_SNAPSHOTS)
_read = msgspec.json.Decoder(Example).decode


@app.agent(topics.examples, name="learn")
async def learning(batches: Any) -> None:
    """Learn each batch of examples, in log order."""
    school = School(secret())
    async for batch in batches:
        state = await models.open(batch)
        outbox = Outbox()
        school.advance(batch, state, outbox)
        await app.complete(batch, outbox, state)


class School:
    """The learners by model, signing with `key`; kept from batch to batch.

    One that is kept counts only while the state is the very value that it wrote last:
    so nothing has to be told when a batch is refused or the partition changes hands.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._kept: dict[str, tuple[bytes, Learner]] = {}

    def advance(self, batch: Batch, state: View, outbox: Outbox) -> None:
        """Put each model's snapshot as it stands after the batch.

        Raises SnapshotError when the state is not signed with our key: the secret was
        changed, and going on would throw away what was learnt.
        """
        for model, lessons in _by_model(batch, outbox).items():
            learner = self._take(model, state.get(model.encode()))
            if learner.learn(lessons):
                value = encode(learner.snapshot(), self._key)
                state.put(model.encode(), value)
                self._kept[model] = value, learner

    def _take(self, model: str, stored: bytes | None) -> Learner:
        # Out of `_kept` while it learns: half a batch may be all that it gets.
        written, learner = self._kept.pop(model, (None, None))
        if learner is not None and written == stored:
            return learner
        return resume(model, None if stored is None else decode(stored, self._key))


def _by_model(batch: Batch, outbox: Outbox) -> dict[str, list[Lesson]]:
    """Return a batch's lessons; what is no example is buried."""
    found: dict[str, list[Lesson]] = {}
    for record in batch:
        try:
            lesson = _lesson(record)
        except TouchpointRejectedError as rejected:
            bury(outbox, batch, record, rejected)
            continue
        found.setdefault(lesson.example.model, []).append(lesson)
    return found


def _lesson(record: Record) -> Lesson:
    if not record.value:
        raise TouchpointRejectedError(Reason.EMPTY, "an example without a value")
    try:
        example = _read(record.value)
        features = unpack(example.features)
    except msgspec.MsgspecError as error:
        raise TouchpointRejectedError(Reason.BAD_FIELD, str(error)) from error
    if example.model not in MODELS:
        raise TouchpointRejectedError(Reason.UNKNOWN_TYPE, "no such model", "model")
    return Lesson(record.offset, example, features)
