"""How a profile changes: by joining what an event says, or another profile.

Both go by the same laws, so a profile that evolved through some events, merged
with one that evolved through the others, is the profile that saw them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from models.events.base import Identifier
from models.events.clock import ms_of
from models.events.union import Touchpoint
from models.profile.facts import facts, names
from models.profile.laws import LAWS
from models.profile.shape import Moment, Profile
from models.profile.summary import summary
from models.profile.timeline import add
from models.rhythm import CONTACTS

_NOTHING: Final = Profile()
_identifiers: Final = LAWS["identifiers"]
_LAWS: Final = [(name, law, getattr(_NOTHING, name)) for name, law in LAWS.items()]


def evolve(profile: Profile, event: Touchpoint) -> Profile:
    """Return the profile as it stands after `event`.

    The event must not have been applied before: counting twice is the caller's to prevent.
    """
    # `str` of a channel would be a copy, whose hash is made anew.
    at, kind, channel = ms_of(event.occurred_at), event.type, event.channel._value_
    said = facts(event, at)
    for name, fact in said.items():
        said[name] = LAWS[name](getattr(profile, name), fact)
    moment = Moment(at, event.event_id, kind, channel, summary(event))
    first, last = profile.first_seen_ms, profile.last_seen_ms
    # What every event says, by the same laws written out: a dict and a call for each cost more.
    return replace(
        profile,
        identifiers=named(profile.identifiers, names(event), at),
        events=profile.events + 1,
        events_by_type=_one_more(profile.events_by_type, kind),
        events_by_channel=_one_more(profile.events_by_channel, channel),
        first_seen_ms=at if first is None or at < first else first,
        last_seen_ms=at if kind in CONTACTS and (last is None or at > last) else last,
        recent=add(profile.recent, moment),
        **said,
    )


def named(known: dict[str, int], stated: Iterable[Identifier], at: int) -> dict[str, int]:
    """Return the identifiers that are known once `stated` were said at `at`."""
    news = {}
    for one in stated:
        key = one.type + ":" + one.value  # as it spells itself, without the call
        if known.get(key, at + 1) > at:
            news[key] = at
    return _identifiers(known, news) if news else known


def _one_more(counts: dict[str, int], key: str) -> dict[str, int]:
    more = counts.copy()  # in one piece: `{**counts}` puts in one by one
    more[key] = counts.get(key, 0) + 1
    return more


def merge(a: Profile, b: Profile) -> Profile:
    """Return the profile of one customer who was held for two, `a` and `b`."""
    if b == _NOTHING:  # most who are merged are names that no event came under
        return a
    joined = {}
    for name, law, nothing in _LAWS:
        theirs = getattr(b, name)
        # Most fields of the weaker name are as they began, and to every law that is nothing.
        if theirs != nothing:
            joined[name] = law(getattr(a, name), theirs)
    return replace(a, **joined)
