"""A customer as of a time: who belonged to it then, which events count, and what they give.

Two times, alone or together: `at_ms`, by which it had happened, and `known_ms`, by which it had
reached the log. Everything follows from the log alone; in which order it is read changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import reduce
from operator import attrgetter
from typing import Final, NamedTuple

from msgspec.structs import replace

from models import contracts
from models.customer import Episode
from models.events.codec import decode_event
from models.events.union import Event, Touchpoint
from models.profile import Profile, fold_all
from models.regroup import is_direct, observed_until

MOVES = ("customer_merged", "customer_regrouped")  # events that give a customer its place

_OCCURRED: Final = attrgetter("occurred_at")
_RECEIVED: Final = attrgetter("received_at")


class Entry(NamedTuple):
    """One record of the log: where it stands, and its bytes."""

    partition: int
    offset: int
    value: bytes


class Edge(NamedTuple):
    """An episode of an alert rule began ("opened") or ended ("closed")."""

    episode_id: str  # its last part, after a colon, is its number
    rule: str
    status: str
    at_ms: int
    outcome: str  # empty: none


class Group(NamedTuple):
    """Who was one customer: the root, and all members, it among them, in the order of their ids."""

    root: str
    members: list[str]


class Folded(NamedTuple):
    """What a group's events give."""

    profile: Profile
    contracts: contracts.Contracts
    events: int  # that count
    received_ms: int  # when the newest of them reached the log; 0: there is none
    observed_until_ms: int | None
    earliest_ms: int | None  # of all that were known: before it there was nobody


# What a log answers: the entries of MOVES of some customers, by customer; and who was ever
# told to belong to some customers.
MovesOf = Callable[[Collection[str]], Mapping[str, Sequence[Entry]]]
LedTo = Callable[[Collection[str]], Iterable[str]]


def group(start: str, moves_of: MovesOf, led_to: LedTo, known_ms: int | None) -> Group:
    """Return the group that `start` was in, as the log had it by `known_ms` (None: all of it)."""

    def places(ids: Collection[str]) -> dict[str, str]:
        moves = moves_of(ids)
        return {one: _place(one, moves.get(one, ()), known_ms) for one in ids}

    root, climbed = start, {start}
    while (above := places([root])[root]) not in climbed:
        climbed.add(above)
        root = above
    members, fresh = {root}, {root}
    while fresh:
        # Told once is not there now: what counts is the place of each as of then.
        asked = set(led_to(fresh)) - members
        fresh = {one for one, above in places(asked).items() if above in fresh} if asked else set()
        members |= fresh
    return Group(root, sorted(members))


def _place(customer_id: str, moves: Iterable[Entry], known_ms: int | None) -> str:
    """Return to whom a customer belonged: the newest word on it, in the order of all links."""
    newest, place = (-1, -1), customer_id
    for entry in moves:
        event = decode_event(entry.value)
        when = (event.origin_offset, entry.offset)
        if when >= newest and (known_ms is None or event.received_ms <= known_ms):
            newest, place = when, _told(event)
    return place


def _told(event: Event) -> str:
    match event.type:
        case "customer_merged":
            return event.winner
        case "customer_regrouped":
            return event.root
        case _:
            raise ValueError(f"{event.type} gives nobody a place")


def fold(entries: Iterable[Entry], at_ms: int | None, known_ms: int | None) -> Folded:
    """Return what the direct events among `entries` (of a group's members) give.

    What was sent twice counts once: what stands first in its partition of the log.
    """
    known: dict[tuple[str, str], Touchpoint] = {}
    for entry in sorted(entries):
        event = decode_event(entry.value)
        if is_direct(event) and (known_ms is None or event.received_ms <= known_ms):
            known.setdefault((event.source, event.event_id), event)
    happened = [one for one in known.values() if at_ms is None or one.occurred_ms <= at_ms]
    return Folded(
        profile=fold_all(Profile(), happened),
        contracts=reduce(_signed, happened, {}),
        events=len(happened),
        received_ms=max(happened, key=_RECEIVED).received_ms if happened else 0,
        observed_until_ms=_observed_until(happened),
        earliest_ms=min(known.values(), key=_OCCURRED).occurred_ms if known else None,
    )


def _signed(held: contracts.Contracts, event: Touchpoint) -> contracts.Contracts:
    return contracts.after(held, event, min(event.occurred_ms, event.received_ms))


def _observed_until(events: Iterable[Touchpoint]) -> int | None:
    end: int | None = None
    for event in events:
        if end is not None or event.observed_until is not None:  # of most histories neither is
            end = observed_until(end, event, min(event.occurred_ms, event.received_ms))
    return end


def episodes(edges: Iterable[Edge]) -> dict[str, Episode]:
    """Return each rule's newest episode as its edges, in the order of their times, leave it."""
    found: dict[str, Episode] = {}
    newest: dict[str, str] = {}
    for edge in edges:
        _, _, number = edge.episode_id.rpartition(":")
        if edge.status == "opened":
            newest[edge.rule] = edge.episode_id
            found[edge.rule] = Episode(number=int(number), status="open", opened_ms=edge.at_ms)
        elif newest.get(edge.rule) == edge.episode_id:
            closed = {"status": "closed", "closed_ms": edge.at_ms, "outcome": edge.outcome or None}
            found[edge.rule] = replace(found[edge.rule], **closed)
    return found
