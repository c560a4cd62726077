"""What a run came to, against what its own topics say that it must have come to."""

from collections.abc import Iterable
from typing import Any

import msgspec

from infra.settings import Settings
from infra.verify.differing import written
from models import customer as customers
from models import topics
from models.catalogue import parse as parse_catalogue
from models.customer import Customer
from models.events import Event, decode_event
from models.judge import Judge
from models.links import Unmerge, decode_link
from models.profile import Profile
from models.records import Alert
from models.regroup import wanted_until
from models.topics import Topic
from tests.chaos.soak import offline
from tests.chaos.soak.world import PERSON
from tests.support.changelog import recovered
from tests.support.kafka_log import read_all

_alert = msgspec.json.Decoder(Alert)


class Verdict:
    """Reads a deployment's topics, and lists what is not as it should be."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.faults: list[str] = []
        self.told: dict[str, int] = {}
        self.event_ids: set[str] = set()  # of what customers did

    def records(self, topic: Topic) -> list[Any]:
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
        written = {record.value for record in log}
        self.told["timers"] = sum(b'"type":"timer_fired"' in one for one in written)
        resolved = offline.resolved(self.records(topics.IDENTITY_LINKS))
        direct = {one for one in written if b'"origin":"touchpoints/' in one}
        self._validated(direct, resolved.refused)
        told = {one for one in written if b'"origin":"identity-links/' in one}
        self.same("merges and regroupings", told, resolved.told)
        self._refolded(log)
        self.told["parted with a history"] = offline.parted(log, PERSON)
        if not self.told["parted with a history"]:
            self.faults.append("nobody was parted who had done something: nothing is proved")
        folded = offline.folded(log, self._judge())
        there = {_place(decode_event(record.value)) for record in log}
        sent = {_place(one) for one in folded.events if exact or not _hands_judgements(one)}
        self.same("events for others", sent - there, ())
        live = {key: customers.decode(value) for key, value in self.owned(topics.PROFILES).items()}
        self.told["merged"] = sum(one.merged_into is not None for one in live.values())
        self._whole(live, offline.whole(map(decode_event, sorted(direct)), resolved.identities))
        if exact:
            for topic in offline.OUTPUTS:
                self.same(topic.name, self.distinct(topic), folded.outputs[topic.name])
            self.same("customers", _written(live), _written(folded.customers))
        else:
            self.same("facts", _facts(live), _facts(folded.customers))
            examples = self.records(topics.EXAMPLES)
            secret = self._settings.snapshot_secret.get_secret_value().encode()
            models = self.owned(topics.MODEL_SNAPSHOTS).values()
            self.same("models", models, offline.taught(examples, secret))
            self.told["examples"] = len(examples)

    def _judge(self) -> Judge:
        """Return the judge who has learnt nothing."""
        given = self._settings
        catalogue = parse_catalogue(given.offers_text())
        return Judge.untrained(catalogue, given.horizon_days, given.contract_horizon_days)

    def distinct(self, topic: Topic) -> set[bytes]:
        """Return what a topic says, each thing once."""
        return {record.value for record in self.records(topic)}

    def events_of_customers(self) -> set[tuple[str, int]]:
        """Return each customer's id and how many events it has, merged ones included."""
        live = self.owned(topics.PROFILES)
        read = [customers.decode(value) for value in live.values()]
        return {(one.customer_id, one.profile.events) for one in read}

    def waiting(self) -> set[str]:
        """Return the customers whose own events have yet to be read again."""
        read = map(customers.decode, self.owned(topics.PROFILES).values())
        return {one.customer_id for one in read if wanted_until(one.regroup) is not None}

    def alerts(self) -> set[str]:
        """Return the ids of all alerts."""
        return {_alert.decode(record.value).alert_id for record in self.records(topics.ALERTS)}

    def _refolded(self, log: list[Any]) -> None:
        """Compare what was read again of each member's own events with what the log gives."""
        parts = [
            decode_event(record.value)
            for record in log
            if b'"type":"customer_refolded"' in record.value
        ]
        found = {(one.customer_id, one.until, one.state.encode()) for one in parts}
        wanted = {(one.customer_id, one.until, offline.refolded(log, one)) for one in parts}
        self.same("refolded", found, wanted)

    def _whole(self, live: dict[bytes, Customer], wanted: dict[str, Profile]) -> None:
        """Compare who people are, and each one's profile, with what they did themselves."""
        self.same("waiting for their own events", self.waiting(), ())
        here = [one for one in live.values() if one.profile.events]
        self.same("pointers with a profile", [one for one in here if one.merged_into], ())
        people = {one.customer_id: one.profile for one in here}
        self.same("people", _profiles(people), _profiles(wanted))

    def _validated(self, events: set[bytes], refused: set[str]) -> None:
        """Compare what came of each touchpoint: an event and its links, or a letter.

        `refused` are the commands that led to a letter.
        """
        touchpoints = self.records(topics.TOUCHPOINTS)
        wanted = offline.validated(touchpoints, self._settings.max_event_bytes)
        self.event_ids = wanted.ids
        self.same("events", events, wanted.events)
        said = [decode_link(value) for value in self.distinct(topics.IDENTITY_LINKS)]
        self.told["unmerges"] = sum(isinstance(one, Unmerge) for one in said)
        links = {one.link_id for one in said if not (isinstance(one, Unmerge) or one.by)}
        self.same("links", links, wanted.links)
        letters = self.records(topics.DEAD_LETTERS)
        sources = {dict(letter.headers)["source"].decode() for letter in letters}
        self.same("letters", sources, wanted.refused | refused)


def _place(event: Event) -> tuple[str, str, str, int]:
    """Return what names a forwarded event: what it was, to whom, and from where it was sent on."""
    return event.event_id, event.customer_id, event.origin, event.origin_offset


def _hands_judgements(event: Event) -> bool:
    """Tell whether it is sent only if a model of the time decided or raised something."""
    return event.type == "episodes_returned" or event.event_id.startswith("absorbed:u_")


def _written(some: dict[bytes, Customer]) -> set[tuple[bytes, bytes]]:
    return {(key, customers.encode(one)) for key, one in some.items()}


def _profiles(some: dict[str, Profile]) -> set[tuple[str, bytes]]:
    return {(id, written(one)) for id, one in some.items()}


def _facts(some: dict[bytes, Customer]) -> set[tuple]:
    """Return what does not depend on which model judged."""
    return {
        (
            key,
            one.offset,
            written(one.profile),
            tuple(sorted(one.applied.items())),
            one.seen,
            one.merged_into,
            tuple(sorted(one.absorbed)),
        )
        for key, one in some.items()
    }
