"""Step 6, learn: examples -> model-snapshots.

One writer a model: all examples of a model are on one partition. The snapshot is the
state, so what was learnt and how far is one record: a crash learns nothing twice.
"""

from __future__ import annotations

from typing import Any

import msgspec

from models.errors import Reason, TouchpointRejectedError
from models.online.learner import MODELS, Lesson, learn
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
    key = secret()
    async for batch in batches:
        state = await models.open(batch)
        outbox = Outbox()
        advance(batch, state, outbox, key)
        await app.complete(batch, outbox, state)


def advance(batch: Batch, state: View, outbox: Outbox, key: bytes) -> None:
    """Put each model's snapshot as it stands after the batch.

    Raises SnapshotError when the state is not signed with `key`: the secret was
    changed, and going on would throw away what was learnt.
    """
    learnt: dict[str, list[Lesson]] = {}
    for record in batch:
        try:
            lesson = _lesson(record)
        except TouchpointRejectedError as rejected:
            bury(outbox, batch, record, rejected)
            continue
        learnt.setdefault(lesson.example.model, []).append(lesson)
    for model, lessons in learnt.items():
        stored = state.get(model.encode())
        before = None if stored is None else decode(stored, key)
        after = learn(model, before, lessons)
        if after is not None and after is not before:
            state.put(model.encode(), encode(after, key))


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
