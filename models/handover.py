"""What one customer gives another at a merge, and what each keeps of its own.

Nothing here decides who goes where (`models.merging` does). Whatever was decided or raised
under a customer's id stays countable under it, so that an unmerge gives each its own again.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from models import contracts, seen
from models.alerts import RULE, raised_by
from models.customer import EARLY, Customer, Episode, Regroup, encode
from models.events.codec import made
from models.events.system import CustomerAbsorbed
from models.events.union import Event
from models.links.forest import LARGEST
from models.profile import Profile, merge, moments
from models.reaction import Position


class Route(NamedTuple):
    """Where something is sent from and to, and within which generation of the receiver."""

    at: Position
    to: str
    generation: int


def absorbed(
    cause: Event, event_id: str, given: Customer, route: Route, part: bool = False
) -> CustomerAbsorbed:
    """Return the event that hands `given` over."""
    return made(
        CustomerAbsorbed,
        event_id=event_id,
        occurred_at=cause.occurred_at,
        received_at=cause.received_at,
        customer_id=route.to,
        origin=route.at.origin,
        origin_offset=route.at.offset,
        generation=route.generation,
        loser=given.customer_id,
        state=encode(given).decode(),
        part=part,
    )


def anew(customer: Customer, generation: int, root: str) -> Customer:
    """Return the customer as a generation begins: all that was gathered is forgotten.

    Positions and marks stay, so nothing is applied twice; so does what was decided and
    raised under its own id, or `root`'s; and its clock, so that no silence is looked at a
    second time.
    """
    return Customer(
        customer_id=customer.customer_id,
        offset=customer.offset,
        version=customer.version,
        applied=customer.applied,
        seen=customer.seen,
        clock_ms=customer.clock_ms,
        received_ms=customer.received_ms,
        generation=generation,
        regroup=Regroup(EARLY, 0),
        offers_made=_own_offers(customer),
        contacted=customer.contacted,  # others' too: rather too few offers than too many
        episodes={rule: one for rule, one in customer.episodes.items() if one.owner in ("", root)},
        raised=customer.raised,
    )


def pointer(customer: Customer, route: Route) -> Customer:
    """Return the customer as one who points: with its positions, and what is its own for good."""
    number = raised_by(customer)
    return Customer(
        customer_id=customer.customer_id,
        offset=customer.offset,
        version=customer.version,
        applied=customer.applied,
        seen=customer.seen,  # a client that repeats itself is not forwarded twice
        clock_ms=customer.clock_ms,
        received_ms=customer.received_ms,
        generation=customer.generation,
        towards=route.generation,
        regroup=_own_part(customer.regroup),
        merged_into=route.to,
        forwarded=route.at.offset,
        absorbed=customer.absorbed,
        offers_made=_own_offers(customer),
        contacted=customer.contacted,  # others' too: rather too few offers than too many
        episodes={rule: one for rule, one in customer.episodes.items() if _is_over(one)},
        raised={RULE: number} if number else {},
    )


def gathered(ours: Customer, theirs: Customer) -> Customer:
    """Return our customer with what was gathered under theirs; what was judged is left as it is."""
    members = (theirs.customer_id, *theirs.absorbed)
    known = {ours.customer_id, *ours.absorbed}
    return replace(
        ours,
        clock_ms=max(ours.clock_ms, theirs.clock_ms),
        received_ms=max(ours.received_ms, theirs.received_ms),
        observed_until_ms=_observed_until(ours, theirs),
        seen=seen.join(ours.seen, theirs.seen),
        absorbed=[*ours.absorbed, *(one for one in members if one not in known)][-LARGEST:],
        profile=merge(ours.profile, theirs.profile),
        contracts=contracts.join(ours.contracts, theirs.contracts),
    )


def is_blank(customer: Customer) -> bool:
    """Tell whether nothing came under this name yet, nor is kept under it, as of most merged."""
    kept = customer.episodes or customer.offers_made or customer.pending or customer.awaited
    return not (customer.clock_ms or kept)


def to_come(customer: Customer) -> int:
    """Return how many parts are still to come to a root, its own among them."""
    regroup = customer.regroup
    return 0 if regroup is None else regroup.others + (regroup.until >= 0)


def _own_part(regroup: Regroup | None) -> Regroup | None:
    """Return what a pointer still waits for: its own part alone; others' it sends on."""
    return Regroup(regroup.until, 0) if regroup is not None and regroup.until >= 0 else None


def _own_offers(customer: Customer) -> dict[str, int]:
    taken = customer.offers_taken
    own = {offer: times - taken.get(offer, 0) for offer, times in customer.offers_made.items()}
    return {offer: times for offer, times in own.items() if times}


def _is_over(episode: Episode) -> bool:
    return not episode.owner and episode.status == "closed"


def _observed_until(a: Customer, b: Customer) -> int | None:
    """Return the later end of two backfills, unless the other one lived on beyond it."""
    ends = [one for one in (a.observed_until_ms, b.observed_until_ms) if one is not None]
    if not ends:
        return None
    end = max(ends)
    live = (one.profile for one in (a, b) if one.observed_until_ms is None)
    return None if any(_newest_ms(profile) > end for profile in live) else end


def _newest_ms(profile: Profile) -> int:
    newest = moments(profile.recent[:1])
    return newest[0].at_ms if newest else 0
