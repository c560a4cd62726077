"""A whole history taken in at once: what `evolve` gives one by one, without what lies between.

The laws are the same; only what nobody would see of the way is spared: a profile and tallies
for each event, and the moments that newer ones push out.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nlargest
from typing import Any

from msgspec.structs import replace

from models.events.union import Touchpoint
from models.profile.evolve import named
from models.profile.facts import facts, names
from models.profile.laws import LAWS, TALLIES
from models.profile.shape import Moment, Profile
from models.profile.summary import summary
from models.profile.timeline import LIMIT, join, newest, timeline
from models.rhythm import CONTACTS

_MANY = 50 * LIMIT  # events at hand before all but the newest are let go


def fold_all(profile: Profile, events: Iterable[Touchpoint]) -> Profile:
    """Return the profile as it stands after all of `events`: what `evolve` gives, one by one.

    None of the events may have been applied before, and none may be there twice.
    """
    joined: dict[str, Any] = {}  # field -> with what the events of its own kinds say
    identifiers, count = profile.identifiers, profile.events
    by_type, by_channel = profile.events_by_type.copy(), profile.events_by_channel.copy()
    first, last = profile.first_seen_ms, profile.last_seen_ms
    told: list[tuple[int, Touchpoint]] = []
    room = _MANY
    for event in events:
        at, kind, channel = event.occurred_ms, event.type, str(event.channel)
        for name, fact in facts(event, at).items():
            if name in TALLIES and (not fact or (name in joined and _counted(joined[name], fact))):
                continue
            # From a fact that says something a law makes a new tally: it is ours to count in.
            before = joined[name] if name in joined else getattr(profile, name)
            joined[name] = LAWS[name](before, fact)
        identifiers = named(identifiers, names(event), at)
        count += 1
        by_type[kind] = by_type.get(kind, 0) + 1
        by_channel[channel] = by_channel.get(channel, 0) + 1
        if first is None or at < first:
            first = at
        if kind in CONTACTS and (last is None or at > last):
            last = at
        told.append((at, event))
        if len(told) > room:
            told = _latest(told)
            room = len(told) + _MANY
    return replace(
        profile,
        identifiers=identifiers,
        events=count,
        events_by_type=by_type,
        events_by_channel=by_channel,
        first_seen_ms=first,
        last_seen_ms=last,
        recent=join(profile.recent, timeline(newest(map(_moment, _latest(told))))),
        **joined,
    )


def _counted(tally: dict[str, int], fact: dict[str, int]) -> bool:
    """Add to a tally, in place, what it has names for; False: it has not, and stays as it was."""
    if not fact.keys() <= tally.keys():
        return False
    for key, count in fact.items():
        tally[key] += count
    return True


def _latest(told: list[tuple[int, Touchpoint]]) -> list[tuple[int, Touchpoint]]:
    """Return those, each with its time, whose moment may be among the newest `LIMIT`."""
    if len(told) <= LIMIT:
        return told
    newest_first = nlargest(LIMIT, {(at, event.event_id) for at, event in told})
    oldest = newest_first[-1][0]  # who happened at the same time stays: more decides than the id
    return [one for one in told if one[0] >= oldest]


def _moment(of: tuple[int, Touchpoint]) -> Moment:
    at, event = of
    return Moment(at, event.event_id, event.type, str(event.channel), summary(event))
