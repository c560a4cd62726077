"""What merges and unmerges make of a customer: who folds, who points, what is passed on.

An unmerge begins a generation. What was sent within an older one is dropped: the part that
the log gives of its member holds it. What was sent within a newer one is taken, and what was
gathered before is forgotten, though our own log has yet to tell. So no interleaving of
partitions loses an event or counts one twice. One record leads to at most one event for each
other customer: its position tells a repeated one.
"""

from __future__ import annotations

from msgspec.structs import replace

from models import seen
from models.customer import EARLY, TAKEN, Customer, Regroup, decode
from models.events.codec import changed
from models.events.system import (
    CustomerAbsorbed,
    CustomerMerged,
    CustomerRefolded,
    CustomerRegrouped,
    EpisodesReturned,
    TimerFired,
)
from models.events.union import Event, Touchpoint
from models.handover import Route, absorbed, anew, gathered, is_blank, pointer, to_come
from models.judge import Judge
from models.judgement import absorb, judged
from models.reaction import Position, Reaction
from models.regroup import is_direct
from models.returning import give_back, take_back

Placing = (
    CustomerMerged | CustomerAbsorbed | CustomerRegrouped | CustomerRefolded | EpisodesReturned
)


def settle(reaction: Reaction, event: Placing, at: Position, judge: Judge) -> None:
    """Do what the event does to a customer's place, or to what was gathered."""
    match event.type:
        case "customer_merged":
            _merge(reaction, event, at)
        case "customer_regrouped":
            _regroup(reaction, event, at)
        case "customer_refolded":
            _take_own(reaction, event, at, judge)
        case "episodes_returned":
            take_back(reaction, event, at)
        case "customer_absorbed":
            if not _counts(reaction, event, at):
                # No log tells of its episodes again.
                give_back(reaction, decode(event.state), event, at, besides=())
            elif reaction.customer.merged_into is None:
                _absorb(reaction, event, judge)
            else:
                _pass_on(reaction, event, at)


def diverted(reaction: Reaction, event: Touchpoint | TimerFired, at: Position) -> bool:
    """Pass the event on or over; False: it is this customer's to fold, as usual."""
    customer = reaction.customer
    if event.type == "timer_fired":  # who points or is incomplete has no timers
        return customer.merged_into is not None or customer.regroup is not None
    if is_direct(event):
        if _is_early(customer):  # the regrouping stands further on here: the part will hold it
            _is_new(reaction, event)
            return True
    elif not _counts(reaction, event, at):
        return True
    if reaction.customer.merged_into is None:
        return False
    if _is_new(reaction, event):
        _pass_on(reaction, event, at)
    return True


def _counts(reaction: Reaction, event: Touchpoint | CustomerAbsorbed, at: Position) -> bool:
    """Tell whether what another sent is of our generation; a newer one begins with it."""
    ours = reaction.customer.generation
    if event.generation > ours:
        _begin(reaction, event, event.generation, at)
    return event.generation >= ours


def _is_early(customer: Customer) -> bool:
    return customer.regroup is not None and customer.regroup.until == EARLY


def _is_new(reaction: Reaction, event: Touchpoint) -> bool:
    """Remember a touchpoint; tell whether it was not remembered yet."""
    customer, mark = reaction.customer, seen.mark_of(event)
    if seen.has(customer.seen, mark):
        return False
    reaction.customer = replace(customer, seen=seen.add(customer.seen, mark))
    return True


def _pass_on(reaction: Reaction, event: Touchpoint | CustomerAbsorbed, at: Position) -> None:
    """Send on to where a pointer points what came to it."""
    customer = reaction.customer
    onward = changed(
        event,
        customer_id=customer.merged_into,
        origin=at.origin,
        origin_offset=at.offset,
        generation=customer.towards,
    )
    reaction.events.append(onward)
    reaction.customer = replace(customer, forwarded=at.offset)


def _begin(reaction: Reaction, event: Event, generation: int, at: Position, root: str = "") -> None:
    """Begin a generation: forget what was gathered, give back what was held for others.

    What was held for `root` goes there with what it is handed.
    """
    before = reaction.customer
    reaction.customer = anew(before, generation, root)
    give_back(reaction, before, event, at, besides=(before.customer_id, root))


def _merge(reaction: Reaction, event: CustomerMerged, at: Position) -> None:
    """Become a pointer: all that was gathered goes to the winner, and what comes follows it."""
    customer = reaction.customer
    if customer.merged_into is not None or _is_early(customer):
        return  # only roots are merged; and what a regrouping further on undoes is not done
    route = Route(at, event.winner, event.generation)
    named = f"absorbed:{event.link_id}:{event.loser}"
    if event.generation >= 0:  # an alias may merge again whom an unmerge parted
        named += f":{event.generation}"
    reaction.events.append(absorbed(event, named, customer, route))
    reaction.customer = pointer(customer, route)


def _regroup(reaction: Reaction, event: CustomerRegrouped, at: Position) -> None:
    """Take the place that an unmerge gives, as a root or as a pointer."""
    known = reaction.customer.generation
    if event.generation > known:
        _begin(reaction, event, event.generation, at, event.root)
    elif event.generation < known or not _is_early(reaction.customer):
        return
    customer = reaction.customer
    early = customer.regroup.others if customer.regroup is not None else 0
    if event.root == customer.customer_id:
        regroup = Regroup(at.offset, event.others + early)
        reaction.customer = replace(customer, regroup=regroup)
        return
    route = Route(at, event.root, event.generation)
    if customer.offers_made or customer.episodes:
        # Its part is not told of: the root counts on it, by the same unmerge.
        given = replace(customer, regroup=None)
        named = f"absorbed:{event.unmerge_id}:{customer.customer_id}"
        reaction.events.append(absorbed(event, named, given, route))
    reaction.customer = pointer(replace(customer, regroup=Regroup(at.offset, 0)), route)


def _take_own(reaction: Reaction, event: CustomerRefolded, at: Position, judge: Judge) -> None:
    """Take in what the customer's own events give: a root joins it, a pointer sends it on."""
    customer, regroup = reaction.customer, reaction.customer.regroup
    if regroup is None or (event.generation, event.until) != (customer.generation, regroup.until):
        return  # taken in already, or of an older regrouping
    own = decode(event.state)
    if customer.merged_into is None:
        known = seen.regain(customer.seen, own.seen)
        reaction.customer = replace(customer, regroup=Regroup(TAKEN, regroup.others), seen=known)
        _gather(reaction, own, event, judge)
        return
    route = Route(at, customer.merged_into, customer.towards)
    named = f"part:{event.generation}:{customer.customer_id}"
    reaction.events.append(absorbed(event, named, own, route, part=True))
    reaction.customer = replace(customer, regroup=None, forwarded=at.offset)


def _absorb(reaction: Reaction, event: CustomerAbsorbed, judge: Judge) -> None:
    """Join what another had gathered, or one's own events gave; parts may still be to come."""
    customer, loser = reaction.customer, decode(event.state)
    if not event.part and event.loser in customer.absorbed:
        return
    more = -1 if event.part else to_come(loser)
    if more:
        regroup = customer.regroup or Regroup(TAKEN, 0)
        regroup = Regroup(regroup.until, regroup.others + more)
        reaction.customer = replace(customer, regroup=regroup, timers={})
    _gather(reaction, loser, event, judge)


def _gather(
    reaction: Reaction, theirs: Customer, event: CustomerAbsorbed | CustomerRefolded, judge: Judge
) -> None:
    """Join `theirs`; judge once, when nothing more is to come. It never opens an episode."""
    ours = gathered(reaction.customer, theirs)
    if is_blank(theirs) and ours.regroup is None:
        reaction.customer = ours
        return
    now, received, cause = ours.clock_ms, event.received_ms, event.event_id
    reaction.take(absorb(ours, theirs, now, received, cause))
    news = theirs.rhythm.visits > 0
    if (regroup := reaction.customer.regroup) is not None:
        if regroup != Regroup(TAKEN, 0):
            return
        reaction.customer = replace(reaction.customer, regroup=None)
        news = reaction.customer.rhythm.visits > 0
    reaction.take(judged(reaction.customer, now, received, cause, judge, news, opens=False))
