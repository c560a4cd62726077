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


def evolve(profile: Profile, event: Touchpoint) -> Profile:
    """Return the profile as it stands after `event`.

    The event must not have been applied before: counting twice is the caller's to prevent.
    """
    said = facts(event)
    return replace(
        profile, **{name: LAWS[name](getattr(profile, name), fact) for name, fact in said.items()}
    )


def merge(a: Profile, b: Profile) -> Profile:
    """Return the profile of one customer who was held for two, `a` and `b`."""
    return Profile(**{name: law(getattr(a, name), getattr(b, name)) for name, law in LAWS.items()})
