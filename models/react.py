"""What one event does to one customer: the whole of the fold, in one pure step.

The same customer, event, position and judge always give the same reaction; an
event that was applied before, however it comes again, gives none.
"""

from __future__ import annotations

from msgspec.structs import replace

from models import contracts, seen
from models.customer import Customer
from models.events.clock import ms_of
from models.events.union import Event, Touchpoint
from models.judge import Judge
from models.judgement import MOMENTS, judged, note, soonest, wakes
from models.merging import diverted, settle
from models.offer_words import FOLLOWS, NOTHING_SAID, Said, said_of
from models.profile import evolve
from models.reaction import Position, Reaction
from models.regroup import observed_until
from models.traits import baskets

__all__ = ["Position", "Reaction", "react"]


def react(customer: Customer, event: Event, at: Position, judge: Judge) -> Reaction:
    """Return what `event`, found at `at`, does to the customer it is keyed by."""
    repeated = event.origin_offset <= customer.applied.get(event.origin, -1)
    if at.offset <= customer.offset or (event.origin and repeated):
        return Reaction(customer, changed=False)
    received = ms_of(event.received_at)
    apart = (
        event.generation != customer.generation
        or customer.merged_into is not None
        or customer.regroup is not None
    )
    reaction = Reaction(_advanced(customer, event, at, received))
    # By name, not by class: a class pattern costs 0.25 us for each class that it is not.
    match event.type:
        case (
            "customer_merged"
            | "customer_absorbed"
            | "customer_regrouped"
            | "customer_refolded"
            | "episodes_returned"
        ):
            settle(reaction, event, at, judge)
        case _ if apart and diverted(reaction, event, at):
            pass
        case "timer_fired":
            _run_timers(reaction, event.occurred_ms, received, event.event_id, judge)
        case _:
            _touch(reaction, event, received, judge)
    customer = reaction.customer
    if customer.merged_into is None and customer.regroup is None:
        timers = wakes(customer, judge)
        if timers != customer.timers:
            reaction.customer = replace(customer, timers=timers)
    return reaction


def _advanced(customer: Customer, event: Event, at: Position, received: int) -> Customer:
    """Return the customer with the event's position noted: from here on it counts as applied."""
    applied = customer.applied
    if event.origin:
        applied = applied.copy()
        applied[event.origin] = event.origin_offset
    return replace(
        customer,
        offset=at.offset,
        version=customer.version + 1,
        applied=applied,
        received_ms=max(customer.received_ms, received),
    )


def _touch(reaction: Reaction, event: Touchpoint, received: int, judge: Judge) -> None:
    customer = reaction.customer
    mark = seen.mark_of(event)
    if seen.has(customer.seen, mark):
        return
    # A clock ahead of ours must not make a customer's silence pass any faster.
    now = min(ms_of(event.occurred_at), received)
    if soonest(customer.timers) < now:
        # What is due at this very moment is judged with the event: two scores would have one name.
        _run_timers(reaction, now - 1, received, event.event_id, judge)
        customer = reaction.customer
    before = customer.profile
    customer = replace(
        customer,
        clock_ms=max(customer.clock_ms, now),
        seen=seen.add(customer.seen, mark),
        observed_until_ms=observed_until(customer.observed_until_ms, event, now),
        profile=evolve(before, event),
        contracts=contracts.after(customer.contracts, event, now),
    )
    customer = note(customer, event.type, now, _said(customer, event))
    if customer.regroup is not None:  # incomplete: a part of somebody is nobody to judge
        reaction.customer = customer
        return
    # What we do to a customer is no news of him: only his own doing is a moment to judge at.
    own = event.type in MOMENTS
    reaction.take(judged(customer, customer.clock_ms, received, event.event_id, judge, own))
    if event.type == "order_placed" and not judge.silent:
        reaction.examples += baskets.examples(customer.customer_id, before, event, now)


def _said(customer: Customer, event: Touchpoint) -> Said:
    if event.type in FOLLOWS and (customer.awaited or customer.offer is not None):
        return said_of(event)
    return NOTHING_SAID


def _run_timers(reaction: Reaction, until: int, received: int, cause: str, judge: Judge) -> None:
    """Run the timers due by `until`, in order, each at its own time."""
    timers = reaction.customer.timers
    while (due := soonest(timers)) <= until:
        reaction.take(judged(reaction.customer, due, received, cause, judge, touch=False))
        left = wakes(reaction.customer, judge).items()
        timers = {name: at for name, at in left if at > due}
    if until > reaction.customer.clock_ms:
        reaction.customer = replace(reaction.customer, clock_ms=until)
