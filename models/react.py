"""What one event does to one customer: the whole of the fold, in one pure step.

The same customer, event, position and judge always give the same reaction; an
event that was applied before, however it comes again, gives none.
"""

from __future__ import annotations

from msgspec.structs import replace

from models import seen
from models.customer import Customer, decode, encode
from models.events.codec import made
from models.events.system import CustomerAbsorbed, CustomerMerged
from models.events.union import Event, Touchpoint
from models.judge import Judge
from models.judgement import absorb, judged, note, wakes
from models.links import LARGEST
from models.profile import evolve, merge
from models.reaction import Position, Reaction
from models.regroup import observed_until
from models.rhythm import CONTACTS

__all__ = ["Position", "Reaction", "react"]


def react(customer: Customer, event: Event, at: Position, judge: Judge) -> Reaction:
    """Return what `event`, found at `at`, does to the customer it is keyed by."""
    repeated = event.origin_offset <= customer.applied.get(event.origin, -1)
    if at.offset <= customer.offset or (event.origin and repeated):
        return Reaction(customer, changed=False)
    received = event.received_ms
    reaction = Reaction(_advanced(customer, event, at, received))
    if customer.merged_into is not None:
        _forward(reaction, event, at)
        return reaction
    # By name, not by class: a class pattern costs 0.25 us for each class that it is not.
    if event.type == "customer_merged":
        _merge(reaction, event, at)
    elif event.type == "customer_absorbed":
        _absorb(reaction, event, judge)
    elif event.type == "customer_regrouped" or event.type == "customer_refolded":
        return reaction
    elif event.type == "timer_fired":
        _run_timers(reaction, event.occurred_ms, received, event.event_id, judge)
    else:
        _touch(reaction, event, received, judge)
    if reaction.customer.merged_into is None:
        reaction.customer = replace(reaction.customer, timers=wakes(reaction.customer, judge))
    return reaction


def _advanced(customer: Customer, event: Event, at: Position, received: int) -> Customer:
    """Return the customer with the event's position noted: from here on it counts as applied."""
    applied = customer.applied
    if event.origin:
        applied = {**applied, event.origin: event.origin_offset}
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
    now = min(event.occurred_ms, received)
    if (timers := customer.timers) and min(timers.values()) <= now:
        _run_timers(reaction, now, received, event.event_id, judge)
        customer = reaction.customer
    customer = replace(
        customer,
        clock_ms=max(customer.clock_ms, now),
        seen=seen.add(customer.seen, mark),
        observed_until_ms=observed_until(customer.observed_until_ms, event, now),
        profile=evolve(customer.profile, event),
    )
    customer = note(customer, event.type, now, _offer(event))
    # What we do to a customer is no news of him: only his own doing is a moment to judge at.
    own = event.type in CONTACTS
    reaction.take(judged(customer, customer.clock_ms, received, event.event_id, judge, own))


def _offer(event: Touchpoint) -> str | None:
    match event.type:
        case "offer_shown" | "offer_accepted" | "offer_declined":
            return event.offer
        case _:
            return None


def _run_timers(reaction: Reaction, until: int, received: int, cause: str, judge: Judge) -> None:
    """Run the timers due by `until`, in order, each at its own time."""
    timers = reaction.customer.timers
    while timers and (due := min(timers.values())) <= until:
        reaction.take(judged(reaction.customer, due, received, cause, judge, touch=False))
        left = wakes(reaction.customer, judge).items()
        timers = {name: at for name, at in left if at > due}
    if until > reaction.customer.clock_ms:
        reaction.customer = replace(reaction.customer, clock_ms=until)


def _merge(reaction: Reaction, event: CustomerMerged, at: Position) -> None:
    """Become a pointer: all that was gathered goes to the winner, and what comes follows it."""
    customer = reaction.customer
    absorbed = made(
        CustomerAbsorbed,
        event_id=f"absorbed:{event.link_id}:{event.loser}",
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        customer_id=event.winner,
        origin=at.origin,
        origin_offset=at.offset,
        loser=customer.customer_id,
        state=encode(customer).decode(),
    )
    reaction.events.append(absorbed)
    reaction.customer = Customer(
        customer_id=customer.customer_id,
        offset=customer.offset,
        version=customer.version,
        applied=customer.applied,
        seen=customer.seen,  # a client that repeats itself is not forwarded twice
        clock_ms=customer.clock_ms,
        received_ms=customer.received_ms,
        merged_into=event.winner,
        forwarded=at.offset,
        absorbed=customer.absorbed,
    )


def _absorb(reaction: Reaction, event: CustomerAbsorbed, judge: Judge) -> None:
    winner, loser = reaction.customer, decode(event.state)
    if event.loser in winner.absorbed:
        return
    clock = max(winner.clock_ms, loser.clock_ms)
    both = (winner.observed_until_ms, loser.observed_until_ms)
    reaction.customer = replace(
        winner,
        clock_ms=clock,
        received_ms=max(winner.received_ms, loser.received_ms),
        seen=seen.join(winner.seen, loser.seen),
        absorbed=[*winner.absorbed, event.loser, *loser.absorbed][-LARGEST:],
        profile=merge(winner.profile, loser.profile),
        observed_until_ms=max((end for end in both if end is not None), default=None),
    )
    cause, received = event.event_id, event.received_ms
    reaction.take(absorb(reaction.customer, loser, clock, received, cause))
    news = loser.rhythm.visits > 0
    reaction.take(judged(reaction.customer, clock, received, cause, judge, touch=news))


def _forward(reaction: Reaction, event: Event, at: Position) -> None:
    """Send on to the winner what still comes under the loser's name, once."""
    customer = reaction.customer
    if event.type == "timer_fired" or event.type == "customer_merged":
        return  # a pointer has no timers, and only roots are merged
    if event.type == "customer_regrouped" or event.type == "customer_refolded":
        return
    if event.type != "customer_absorbed":
        mark = seen.mark_of(event)
        if seen.has(customer.seen, mark):
            return
        reaction.customer = replace(customer, seen=seen.add(customer.seen, mark))
    onward = {
        "customer_id": customer.merged_into,
        "origin": at.origin,
        "origin_offset": at.offset,
    }
    reaction.customer = replace(reaction.customer, forwarded=at.offset)
    reaction.events.append(event.model_copy(update=onward))
