"""How a profile changes: by joining what an event says, or another profile.

Both go by the same laws, so a profile that evolved through some events, merged
with one that evolved through the others, is the profile that saw them all.
"""

from __future__ import annotations

from msgspec.structs import replace

from models.events.union import Touchpoint
from models.profile.facts import facts
from models.profile.laws import LAWS
from models.profile.shape import Profile

_NOTHING = Profile()


def evolve(profile: Profile, event: Touchpoint) -> Profile:
    """Return the profile as it stands after `event`.

    The event must not have been applied before: counting twice is the caller's to prevent.
    """
    said = facts(event)
    for name, fact in said.items():
        said[name] = LAWS[name](getattr(profile, name), fact)
    return replace(profile, **said)


def merge(a: Profile, b: Profile) -> Profile:
    """Return the profile of one customer who was held for two, `a` and `b`."""
    joined = {}
    for name, law in LAWS.items():
        ours, theirs = getattr(a, name), getattr(b, name)
        # Most fields of the weaker name are as they began, and to every law that is nothing.
        joined[name] = ours if theirs == getattr(_NOTHING, name) else law(ours, theirs)
    return Profile(**joined)
