"""What customers do in one run, and what is said of who they are: a simulated past, spoilt.

Some events come twice, some late, some are no events at all. Devices change hands, users
are merged who are not one person, and people take such merges back.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from random import Random
from typing import NamedTuple

from infra.simulator.world import World
from models.events import Identifier
from models.identity import customer_id_of, normalise, primary
from models.links import encode, state_merge, state_unmerge
from models.topics import IDENTITY_LINKS, TOUCHPOINTS, Topic

MOST = 3_000
DAYS = 60
TWICE, LATE, BAD = 0.03, 0.03, 0.02
MISTAKEN, STATED, UNMERGED = 0.01, 0.004, 0.012  # of events, after each of which one is said
ANYBODY = 0.25  # of unmerges: whoever it is, he may be merged with nobody
LAST = 12  # unmerges when all events were sent
PERSON = "chaos"  # who merges and unmerges
GARBAGE = (b"", b"{", b'{"type": "order_placed", "total": ', b"\xff\xfe", b"[]", b"null")


class Message(NamedTuple):
    """One record to be sent."""

    key: bytes
    value: bytes
    topic: Topic = TOUCHPOINTS


class Parting(NamedTuple):
    """Somebody is taken out of a customer: `pick`, in [0, 1), says who of all that can be then."""

    pick: float
    at_ms: int

    def of(self, who: str) -> Message:
        """Return the command that takes a customer out."""
        return _command(who, self.at_ms)


def messages(seed: int, customers: int, now_ms: int) -> list[Message | Parting]:
    """Return what is sent, in that order."""
    world = World(seed, customers=customers, days=DAYS, start_ms=now_ms)
    sent = [said.event for said in islice(world.history(), MOST)]
    confused = _Confusion(Random(f"who/{seed}"), now_ms).spread(sent)
    return list(_spoilt(confused, Random(f"chaos/{seed}")))


class _Confusion:
    """Who is taken for whom: mistaken events among the true ones, merges and unmerges stated."""

    def __init__(self, rng: Random, now_ms: int) -> None:
        self._rng = rng
        self._now_ms = now_ms
        self._names: dict[tuple[str, str], None] = {}  # type and value, as far as they were said
        self._joined: list[str] = []  # customer ids that may hang on others

    def spread(self, events: Iterable[dict]) -> Iterator[dict | Message | Parting]:
        number = 0
        for number, event in enumerate(events):
            yield event
            who = [(one["type"], one["value"]) for one in event["identifiers"]]
            self._names |= dict.fromkeys(who)
            self._joined += [_id(one) for one in who if one[0] != "user_id"]
            chance = self._rng.random()
            if chance < MISTAKEN:
                yield self._mistake(event, number)
            elif chance < MISTAKEN + STATED:
                yield self._merge(number)
            elif chance < MISTAKEN + STATED + UNMERGED and self._joined:
                yield self._unmerge(number)
        for more in range(LAST):
            yield self._unmerge(number + 1 + more)

    def _two(self) -> tuple[tuple[str, str], tuple[str, str]]:
        one, other = (self._rng.choice(list(self._names)) for _ in range(2))
        self._joined += [_id(one), _id(other)]
        return one, other

    def _mistake(self, event: dict, number: int) -> dict:
        """Say that two names are one customer: who signs in on another's phone, or an alias."""
        one, other = self._two()
        said = {
            "event_id": f"mistake-{number}",
            "occurred_at": event["occurred_at"],
            "channel": "web",
            "identifiers": [_named(one)],
        }
        if self._rng.random() < 0.5:
            return said | {"type": "customer_aliased", "previous": [_named(other)]}
        said["identifiers"] += [_named(other)] if other != one else []
        return said | {"type": "customer_identified"}

    def _merge(self, number: int) -> Message:
        one, other = (_id(name) for name in self._two())
        link = state_merge(one, other, by=PERSON, reason="the same", at_ms=self._now_ms + number)
        return Message(one.encode(), encode(link), IDENTITY_LINKS)

    def _unmerge(self, number: int) -> Message | Parting:
        """Take somebody out: now and then a root, or one who is in no group, which is refused."""
        if self._rng.random() < ANYBODY:
            return _command(self._rng.choice(self._joined), self._now_ms + number)
        return Parting(self._rng.random(), self._now_ms + number)


def _command(who: str, at_ms: int) -> Message:
    command = state_unmerge(who, by=PERSON, reason="not the same", at_ms=at_ms)
    return Message(who.encode(), encode(command), IDENTITY_LINKS)


def _named(name: tuple[str, str]) -> dict[str, str]:
    return {"type": name[0], "value": name[1]}


def _id(name: tuple[str, str]) -> str:
    return customer_id_of(normalise(Identifier(type=name[0], value=name[1])))


def _spoilt(said: Iterable[dict | Message | Parting], rng: Random) -> Iterator[Message | Parting]:
    late: list[dict] = []
    for event in said:
        if not isinstance(event, dict):
            yield event
        elif rng.random() < LATE:
            late.append(event)
        else:
            yield from _often(event, rng)
        if late and rng.random() < LATE:
            yield _message(late.pop(rng.randrange(len(late))))
    for event in late:
        yield _message(event)


def _often(event: dict, rng: Random) -> Iterator[Message]:
    """Yield an event, sometimes twice, sometimes with something beside it that is none."""
    yield _message(event)
    if rng.random() < TWICE:
        yield _message(event)
    if rng.random() < BAD:
        yield Message(_message(event).key, rng.choice(GARBAGE))
    if rng.random() < BAD:
        yield _message(event | {"event_id": f"bad-{event['event_id']}", "channel": 7})


def _message(event: dict) -> Message:
    name = primary(Identifier.model_validate(one) for one in event["identifiers"])
    return Message(str(name).encode(), json.dumps(event).encode())
