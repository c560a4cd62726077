"""Interests and opinion as of a moment: the counts a week, each worth half after 30 days."""

from __future__ import annotations

from typing import NamedTuple

from models.profile import Profile, Trait
from models.profile.weekly import weight

SHOWN = 10  # interests


class Interest(NamedTuple):
    """An interest, its weight as of the moment, and its share of them all."""

    category: str
    weight: float
    share: float


class Mood(NamedTuple):
    """The newest opinion, and the mean of all, both from -1 to 1; of how many lately."""

    newest: Trait
    mean: float
    said: int


def interests(profile: Profile, at_ms: int, top: int = SHOWN) -> list[Interest]:
    """Return what the customer is interested in, strongest first.

    A view counts 1, a search 2, into the cart 3, a purchase 5.
    """
    sums, whole = weights(profile, at_ms)
    ranked = sorted(sums.items(), key=lambda one: (-one[1], one[0]))[:top]
    return [Interest(category, summed, summed / whole) for category, summed in ranked]


def weights(profile: Profile, at_ms: int) -> tuple[dict[str, float], float]:
    """Return what each interest weighs, and what all do together, as of the moment."""
    sums: dict[str, float] = {}
    for week in sorted(profile.interest_weeks):
        worth = weight(week, at_ms)
        for category, count in profile.interest_weeks[week].items():
            sums[category] = sums.get(category, 0.0) + worth * count
    return sums, sum([sums[category] for category in sorted(sums)])


def mood(profile: Profile, at_ms: int) -> Mood | None:
    """Return how the customer speaks of us; None: he said nothing that tells."""
    if profile.sentiment is None:
        return None
    total = worth = 0.0
    count = 0
    for week in sorted(profile.sentiment_weeks):
        said, weighed = profile.sentiment_weeks[week], weight(week, at_ms)
        total += weighed * said["sum"] / 1000
        worth += weighed * said["count"]
        count += said["count"]
    return Mood(profile.sentiment, total / worth if worth else 0.0, count)


def read_by(profile: Profile) -> str | None:
    """Return the lexicon that read the newest opinion; None: that was not written down yet."""
    newest, by = profile.sentiment, profile.sentiment_by
    # A profile of before may have gone on with events that say which lexicon read them.
    if newest is None or by is None or (by.at_ms, by.event_id) != (newest.at_ms, newest.event_id):
        return None
    return str(by.value)


def preferred_channel(profile: Profile) -> str | None:
    """Return the channel that most of the customer's events came by, but for our own systems."""
    own = {
        channel: count
        for channel, count in profile.events_by_channel.items()
        if channel not in ("server", "other")
    }
    return min(own, key=lambda channel: (-own[channel], channel)) if own else None
