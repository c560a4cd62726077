"""What a run must have come to, by the pure core: records in, in the order of their log.

Nothing here is streamed, and nothing runs at the same time as anything else.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from models import topics
from models.customer import Customer, encode
from models.errors import TouchpointRejectedError
from models.events import Event, Wire, decode_event, encode_event, parse
from models.identity import identify
from models.judge import Judge
from models.links import Identity, Link, decode_link, follow, links_of, told
from models.online import learner, snapshots
from models.profile import Profile, fold_all
from models.react import Position, react
from models.regroup import is_direct, part

OUTPUTS = (topics.SCORES, topics.DECISIONS, topics.ALERTS, topics.EXAMPLES)
_json = msgspec.json.Encoder().encode


@dataclass
class Validated:
    """What touchpoints lead to: events as written, their ids, links by id, who is refused."""

    events: set[bytes] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)


@dataclass
class Resolved:
    """What links and unmerges lead to: events as written, who refused, where everybody is."""

    told: set[bytes] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    identities: dict[str, Identity] = field(default_factory=dict)


@dataclass
class Folded:
    """What the log gives: customers, what goes out by topic, events for other customers."""

    customers: dict[bytes, Customer] = field(default_factory=dict)
    outputs: dict[str, set[bytes]] = field(
        default_factory=lambda: {topic.name: set() for topic in OUTPUTS}
    )
    events: list[Event] = field(default_factory=list)


def validated(touchpoints: Iterable[Any], most_bytes: int) -> Validated:
    """Judge each touchpoint."""
    name, made = topics.TOUCHPOINTS.name, Validated()
    for record in touchpoints:
        source = f"{name}/{record.partition}"
        wire = Wire.of(
            tuple(record.headers), record.timestamp, name, record.partition, record.offset
        )
        try:
            touchpoint = parse(record.value, wire, most_bytes)
        except TouchpointRejectedError:
            made.refused.add(f"{source}/{record.offset}")
            continue
        event = identify(touchpoint, source, record.offset)
        made.events.add(encode_event(event))
        made.ids.add(event.event_id)
        made.links |= {link.link_id for link in links_of(event, lambda _: True)}
    return made


def resolved(commands: Iterable[Any]) -> Resolved:
    """Follow links and unmerges, in their one order."""
    made = Resolved()
    for record in commands:
        command = decode_link(record.value)
        origin = f"{topics.IDENTITY_LINKS.name}/{record.partition}"
        try:
            found = follow(command, made.identities.get, record.offset)
        except TouchpointRejectedError:
            made.refused.add(f"{origin}/{record.offset}")
            continue
        made.identities |= found.changes
        made.told |= {encode_event(one) for one in told(command, found, origin, record.offset)}
        if found.refusal is not None and isinstance(command, Link) and command.kind == "stated":
            made.refused.add(f"{origin}/{record.offset}")
    return made


def whole(events: Iterable[Event], identities: dict[str, Identity]) -> dict[str, Profile]:
    """Return each person's profile: what all who are one did, each thing once.

    As if they had been one from the first event on, and nobody else ever.
    """
    groups: dict[str, dict[tuple[str, str], Event]] = {}
    for event in events:
        root = event.customer_id
        while (identity := identities.get(root)) is not None and identity.parent:
            root = identity.parent
        groups.setdefault(root, {}).setdefault((event.source, event.event_id), event)
    return {root: fold_all(Profile(), some.values()) for root, some in groups.items()}


def refolded(log: list[Any], one: Event) -> bytes:
    """Return what the log gives of a regrouped member's own events."""
    key = one.customer_id.encode()
    own = [record for record in log if record.key == key and record.offset <= one.until]
    events = [
        (Position(topics.EVENTS.name, record.partition, record.offset), decode_event(record.value))
        for record in own
    ]
    return encode(part(one.customer_id, [pair for pair in events if is_direct(pair[1])]))


def parted(log: Iterable[Any], by: str) -> int:
    """Return how many unmerges of a person parted two of whom each had done something before."""
    own: Counter[str] = Counter()
    sides: dict[int, Counter[str]] = {}
    for record in log:
        event = decode_event(record.value)
        if event.type == "customer_regrouped" and event.by == by:
            side = sides.setdefault(event.generation, Counter())
            side[event.root] += own[event.customer_id]
        elif is_direct(event):
            own[event.customer_id] += 1
    return sum(len(+side) > 1 for side in sides.values())


def folded(log: Iterable[Any], judge: Judge) -> Folded:
    """Let each customer react to the log."""
    made = Folded()
    for record in log:
        event = decode_event(record.value)
        key = event.customer_id.encode()
        before = made.customers.get(key) or Customer(customer_id=event.customer_id)
        at = Position(topics.EVENTS.name, record.partition, record.offset)
        reaction = react(before, event, at, judge)
        if not reaction.changed:
            continue
        made.customers[key] = reaction.customer
        made.events += reaction.events
        sent = (reaction.scores, reaction.decisions, reaction.alerts, reaction.examples)
        for topic, some in zip(OUTPUTS, sent, strict=True):
            made.outputs[topic.name] |= {_json(one) for one in some}
    return made


def taught(examples: Iterable[Any], secret: bytes) -> set[bytes]:
    """Learn the examples; return the models as they are kept."""
    lessons: dict[str, list[learner.Lesson | learner.Order]] = {}
    for record in examples:
        lesson = learner.read_lesson(record.offset, record.value, record.timestamp)
        said = lesson.command if isinstance(lesson, learner.Order) else lesson.example
        lessons.setdefault(said.model, []).append(lesson)
    made = set()
    for model, some in lessons.items():
        learnt = learner.resume(model)
        learnt.learn(some)
        made |= {snapshots.seal(state, secret) for state in learnt.kept.values()}
        made.add(snapshots.encode(learnt.snapshot(), secret))
    return made
