"""The steps of the flow as any framework may call them: bytes in, rows out; no Faust.

The same calls into the core as the worker's steps make, so that what differs between
frameworks is the framework. A row is (topic, key, value), the topic's name in full.
"""

import os
from collections.abc import Callable, Iterable

import msgspec

from infra.settings import Settings
from models.catalogue import parse as parse_catalogue
from models.events import Wire, encode_event, parse
from models.identity import identify
from models.judge import Judge
from models.links import Identity, decode_link, encode, links_of, merged, resolve
from models.online.learner import CHURN, Learner, read_lesson, resume
from models.online.seating import seated
from models.online.snapshots import decode as decode_snapshot
from models.online.snapshots import encode as encode_snapshot
from models.online.snapshots import glance
from models.react import Reaction
from models.topics import (
    ALERTS,
    DECISIONS,
    EVENTS,
    EXAMPLES,
    IDENTITY_LINKS,
    MODEL_SNAPSHOTS,
    SCORES,
)

Row = tuple[str, bytes, bytes]

settings = Settings.from_env(os.environ)
_judge = Judge.untrained(parse_catalogue(settings.offers_text()))
GROUP = settings.topic_prefix + "worker"
ALL_LINKS = b"links"  # one key: whoever resolves must see every cluster
SECRET = settings.snapshot_secret.get_secret_value().encode()
_linked: set[str] = set()
_learners: dict[str, tuple[bytes, Learner]] = {}
_waiting: dict[str, bytes] = {}  # the newest, for when the judge is next asked
_json = msgspec.json.Encoder().encode
resume(CHURN)  # imports River, before the clock runs, as the worker does
_name = {
    topic: settings.topic(topic)
    for topic in (EVENTS, IDENTITY_LINKS, SCORES, DECISIONS, ALERTS, EXAMPLES, MODEL_SNAPSHOTS)
}


def accept(value: bytes, headers: list, partition: int, offset: int) -> list[Row]:
    """Return what one touchpoint leads to: an event, and the links that are new."""
    wire = Wire.of(headers, 0, "touchpoints", partition, offset)
    touchpoint = parse(value, wire, settings.max_event_bytes)
    event = identify(touchpoint, f"touchpoints/{partition}", offset)
    rows = [(_name[EVENTS], event.customer_id.encode(), encode_event(event))]
    for link in links_of(event):
        if link.link_id not in _linked:
            _linked.add(link.link_id)
            rows.append((_name[IDENTITY_LINKS], ALL_LINKS, encode(link)))
    return rows


def follow(
    value: bytes, offset: int, lookup: Callable[[str], Identity | None]
) -> tuple[dict[str, Identity], list[Row]]:
    """Return the identities that a link changes, and the merge that it leads to."""
    link = decode_link(value)
    found = resolve(link, lookup)
    if found.merge is None:
        return found.changes, []
    event = merged(link, found.merge, "identity-links/0", offset)
    row = (_name[EVENTS], found.merge.loser.encode(), encode_event(event))
    return found.changes, [row]


def outgoing(key: bytes, reaction: Reaction) -> list[Row]:
    """Return what a reaction sends, the customer's own outputs keyed by the customer."""
    rows = [
        (_name[topic], key, _json(record))
        for topic, records in (
            (SCORES, reaction.scores),
            (DECISIONS, reaction.decisions),
            (ALERTS, reaction.alerts),
        )
        for record in records
    ]
    for example in reaction.examples:
        rows.append((_name[EXAMPLES], example.model.encode(), _json(example)))
    for event in reaction.events:
        rows.append((_name[EVENTS], event.customer_id.encode(), encode_event(event)))
    return rows


def taught(
    model: str, stored: bytes | None, examples: Iterable[tuple[int, bytes]]
) -> tuple[bytes | None, list[Row]]:
    """Return a model's snapshot after examples (offset, value), and the row that carries it.

    The learner is kept as long as the state is what it wrote last, as the worker keeps it.
    """
    lessons = [read_lesson(offset, value) for offset, value in examples]
    written, learner = _learners.pop(model, (None, None))
    if learner is None or written != stored:
        before = None if stored is None else decode_snapshot(stored, SECRET)
        learner = resume(model, before)
    if not learner.learn(lessons):
        return stored, []
    learner.told()  # reports and drift: no peer has a place for them
    value = _waiting[model] = encode_snapshot(learner.snapshot(), SECRET)
    _learners[model] = value, learner
    return value, [(_name[MODEL_SNAPSHOTS], model.encode(), value)]


def judge() -> Judge:
    """Return the judge with the newest models."""
    global _judge
    while _waiting:
        _, value = _waiting.popitem()
        _judge = seated(_judge, glance(value, SECRET))
    return _judge
