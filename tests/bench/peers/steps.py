"""The steps of the flow as any framework may call them: bytes in, rows out; no Faust.

The same calls into the core as the worker's steps make, so that what differs between
frameworks is the framework. A row is (topic, key, value), the topic's name in full.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace

import msgspec

from infra.settings import Settings
from models.catalogue import parse as parse_catalogue
from models.events import Wire, encode_event, parse
from models.identity import identify
from models.judge import Judge
from models.links import Identity, decode_link, encode, links_of, merged, resolve
from models.online.churn import ChurnModel
from models.online.learner import CHURN, Lesson, learn
from models.online.offers import OfferModel
from models.online.snapshots import Snapshot
from models.online.snapshots import encode as encode_snapshot
from models.react import Reaction
from models.records import Example, unpack
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
judge = Judge.untrained(parse_catalogue(settings.offers_text()))
GROUP = settings.topic_prefix + "worker"
ALL_LINKS = b"links"  # one key: whoever resolves must see every cluster
SECRET = settings.snapshot_secret.get_secret_value().encode()
_linked: set[str] = set()
_json = msgspec.json.Encoder().encode
_read_example = msgspec.json.Decoder(Example).decode
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
    model: str, before: Snapshot | None, examples: Iterable[tuple[int, bytes]]
) -> tuple[Snapshot | None, list[Row]]:
    """Return a model after examples (offset, value), and its snapshot; it judges from now on."""
    global judge
    lessons = []
    for offset, value in examples:
        example = _read_example(value)
        lessons.append(Lesson(offset, example, unpack(example.features)))
    after = learn(model, before, lessons)
    if after is None or after is before:
        return before, []
    if model == CHURN:
        judge = replace(judge, churn=ChurnModel.from_state(after.state))
    else:
        judge = replace(judge, offers=OfferModel.from_state(after.state))
    row = (_name[MODEL_SNAPSHOTS], model.encode(), encode_snapshot(after, SECRET))
    return after, [row]
