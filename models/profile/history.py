"""A whole history taken in at once: what `evolve` gives one by one, without what lies between.

The laws are the same; only what nobody would see of the way is spared: a profile for
each event, and the writing of moments that newer ones push out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from models.events.union import Touchpoint
from models.profile.evolve import named
from models.profile.facts import facts, names
from models.profile.laws import LAWS
from models.profile.shape import Moment, Profile
from models.profile.summary import summary
from models.profile.timeline import LIMIT, join, newest, timeline
from models.rhythm import CONTACTS

_MANY = 50 * LIMIT  # moments at hand before all but the newest are let go


def fold_all(profile: Profile, events: Iterable[Touchpoint]) -> Profile:
    """Return the profile as it stands after all of `events`: what `evolve` gives, one by one.

    None of the events may have been applied before, and none may be there twice.
    """
    joined: dict[str, Any] = {}  # field -> with what the events of its own kinds say
    identifiers, count = profile.identifiers, profile.events
    by_type, by_channel = profile.events_by_type.copy(), profile.events_by_channel.copy()
    first, last = profile.first_seen_ms, profile.last_seen_ms
    told: list[Moment] = []
    for event in events:
        at, kind, channel = event.occurred_ms, event.type, str(event.channel)
        for name, fact in facts(event, at).items():
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
        told.append(Moment(at, event.event_id, kind, channel, summary(event)))
        if len(told) > _MANY:
            told = newest(told)
    return replace(
        profile,
        identifiers=identifiers,
        events=count,
        events_by_type=by_type,
        events_by_channel=by_channel,
        first_seen_ms=first,
        last_seen_ms=last,
        recent=join(profile.recent, timeline(newest(told))),
        **joined,
    )
