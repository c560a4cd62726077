"""What a run came to, against what its own log says it must have come to.

Nothing here is streamed: each topic is read whole, and the pure core folds it in order.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from infra.settings import Settings
from models import customer as customers
from models import topics
from models.catalogue import parse as parse_catalogue
from models.customer import Customer
from models.errors import TouchpointRejectedError
from models.events import Event, Wire, decode_event, encode_event, parse
from models.identity import identify
from models.judge import Judge
from models.links import decode_link, links_of, merged, resolve
from models.online import learner, snapshots
from models.react import Position, react
from models.records import Alert, Example, unpack
from models.topics import Topic
from tests.support.changelog import recovered
from tests.support.kafka_log import read_all

OUTPUTS = (topics.SCORES, topics.DECISIONS, topics.ALERTS, topics.EXAMPLES)
_json = msgspec.json.Encoder().encode
_example = msgspec.json.Decoder(Example).decode
_alert = msgspec.json.Decoder(Alert)


@dataclass
class Folded:
    """What the log gives: customers, what goes out by topic, events for other customers."""

    customers: dict[bytes, Customer] = field(default_factory=dict)
    outputs: dict[str, set[bytes]] = field(
        default_factory=lambda: {topic.name: set() for topic in OUTPUTS}
    )
    events: list[Event] = field(default_factory=list)


class Verdict:
    """Reads a deployment's topics, and lists what is not as it should be."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.faults: list[str] = []
        self.told: dict[str, int] = {}
        self._ids: set[str] = set()

    def records(self, topic: Topic) -> list:
        """Return all records of a topic."""
        return read_all(self._settings.brokers, self._settings.topic(topic))

    def owned(self, topic: Topic) -> dict[bytes, bytes]:
        """Return a changelog's state, as the next owner of each partition will have it."""
        width = topic.partitions or self._settings.partitions
        found = recovered(self._settings.brokers, self._settings.topic(topic), range(width))
        return {key: value for one in found.values() for key, value in one.store.contents.items()}

    def same(self, what: str, found: Iterable, wanted: Iterable) -> None:
        """Note a fault when two sets differ."""
        found, wanted = set(found), set(wanted)
        self.told[what] = len(wanted)
        if found != wanted:
            missing, extra = wanted - found, found - wanted
            some = [str(one)[:300] for one in [*list(missing)[:2], *list(extra)[:2]]]
            self.faults.append(f"{what}: {len(missing)} missing, {len(extra)} extra: {some}")

    def judge(self, *, exact: bool) -> None:
        """Compare everything. `exact`: nothing was learnt, so all outputs follow from the log."""
        log = self.records(topics.EVENTS)
        self._validated({record.value for record in log})
        self._resolved({record.value for record in log})
        folded = self._folded(log)
        log_has = {_place(decode_event(record.value)) for record in log}
        self.same("events for others", {_place(one) for one in folded.events} - log_has, ())
        live = {key: customers.decode(value) for key, value in self.owned(topics.PROFILES).items()}
        if exact:
            for topic in OUTPUTS:
                found = {record.value for record in self.records(topic)}
                self.same(topic.name, found, folded.outputs[topic.name])
            self.same("customers", _written(live), _written(folded.customers))
        else:
            self.same("facts", _facts(live), _facts(folded.customers))
            self._learnt()
        self.told["merged"] = sum(one.merged_into is not None for one in live.values())

    def distinct(self, topic: Topic) -> set[bytes]:
        """Return what a topic says, each thing once."""
        return {record.value for record in self.records(topic)}

    def event_ids(self) -> set[str]:
        """Return the ids of what customers did, as the log has it."""
        return self._ids

    def events_of_customers(self) -> set[tuple[str, int]]:
        """Return each customer's id and how many events it has, merged ones included."""
        live = self.owned(topics.PROFILES)
        read = [customers.decode(value) for value in live.values()]
        return {(one.customer_id, one.profile.events) for one in read}

    def alerts(self) -> set[str]:
        """Return the ids of all alerts."""
        return {_alert.decode(record.value).alert_id for record in self.records(topics.ALERTS)}

    def _validated(self, log: set[bytes]) -> None:
        """Compare what came of each touchpoint: an event and its links, or a letter."""
        events, links, refused = set(), set(), set()
        for record in self.records(topics.TOUCHPOINTS):
            source = f"{topics.TOUCHPOINTS.name}/{record.partition}"
            wire = Wire.of(
                tuple(record.headers),
                record.timestamp,
                topics.TOUCHPOINTS.name,
                record.partition,
                record.offset,
            )
            try:
                touchpoint = parse(record.value, wire, self._settings.max_event_bytes)
            except TouchpointRejectedError:
                refused.add(f"{source}/{record.offset}")
                continue
            event = identify(touchpoint, source, record.offset)
            events.add(encode_event(event))
            self._ids.add(event.event_id)
            links |= {link.link_id for link in links_of(event, lambda _: True)}
        self.same("events", {one for one in log if b'"origin":"touchpoints/' in one}, events)
        found = {
            decode_link(record.value).link_id for record in self.records(topics.IDENTITY_LINKS)
        }
        self.same("links", found, links)
        letters = self.records(topics.DEAD_LETTERS)
        self.same("letters", {dict(one.headers)["source"].decode() for one in letters}, refused)

    def _resolved(self, log: set[bytes]) -> None:
        """Compare the merges with what the links lead to, in their order."""
        identities: dict = {}
        merges = set()
        for record in self.records(topics.IDENTITY_LINKS):
            link = decode_link(record.value)
            found = resolve(link, identities.get)
            identities |= found.changes
            if found.merge is not None:
                origin = f"{topics.IDENTITY_LINKS.name}/{record.partition}"
                merges.add(encode_event(merged(link, found.merge, origin, record.offset)))
        self.same("merges", {one for one in log if b'"type":"customer_merged"' in one}, merges)

    def _folded(self, log: list) -> Folded:
        catalogue = parse_catalogue(self._settings.offers_text())
        judge = Judge.untrained(catalogue, self._settings.horizon_days)
        folded = Folded()
        for record in log:
            event = decode_event(record.value)
            key = event.customer_id.encode()
            before = folded.customers.get(key) or Customer(customer_id=event.customer_id)
            reaction = react(
                before, event, Position("events", record.partition, record.offset), judge
            )
            if not reaction.changed:
                continue
            folded.customers[key] = reaction.customer
            folded.events += reaction.events
            made = (reaction.scores, reaction.decisions, reaction.alerts, reaction.examples)
            for topic, some in zip(OUTPUTS, made, strict=True):
                folded.outputs[topic.name] |= {_json(one) for one in some}
        return folded

    def _learnt(self) -> None:
        """Compare each model with what its examples teach, in their order."""
        lessons: dict[str, list] = {}
        for record in self.records(topics.EXAMPLES):
            example = _example(record.value)
            lesson = learner.Lesson(record.offset, example, unpack(example.features))
            lessons.setdefault(example.model, []).append(lesson)
        secret = self._settings.snapshot_secret.get_secret_value().encode()
        taught = set()
        for model, some in lessons.items():
            learnt = learner.resume(model, None)
            learnt.learn(some)
            taught.add(snapshots.encode(learnt.snapshot(), secret))
        self.same("models", self.owned(topics.MODEL_SNAPSHOTS).values(), taught)
        self.told["examples"] = sum(map(len, lessons.values()))


def _place(event: Event) -> tuple[str, str, str, int]:
    """Return what names a forwarded event: what it was, to whom, and from where it was sent on."""
    return event.event_id, event.customer_id, event.origin, event.origin_offset


def _written(some: dict[bytes, Customer]) -> set[tuple[bytes, bytes]]:
    return {(key, customers.encode(one)) for key, one in some.items()}


def _facts(some: dict[bytes, Customer]) -> set[tuple]:
    """Return what does not depend on which model judged."""
    return {
        (
            key,
            one.offset,
            msgspec.json.encode(one.profile, order="deterministic"),
            tuple(sorted(one.applied.items())),
            one.seen,
            one.merged_into,
            tuple(sorted(one.absorbed)),
        )
        for key, one in some.items()
    }
