"""What follows from a customer's new state: labels, score, offer, alert; in that order.

The one door for the fold. Time comes in with the arguments; nothing here looks at a
clock, so the same log gives the same judgements.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from models.alerts import edges, inherit, is_open, lost_ms
from models.contracts import Contracts
from models.contracts import join as join_contracts
from models.customer import Customer
from models.decide import decide, standing_form
from models.eligibility import withdrawn
from models.judge import Judge
from models.labels import (
    acted,
    await_label,
    checkpoint_ms,
    joined,
    label_ms,
    mature,
    renewal_ms,
    returned,
    signed,
)
from models.offer_words import ANSWERS, FOLLOWS, NOTHING_SAID, Said
from models.outcomes import await_outcome, beside, followed, reserved
from models.profile import moments
from models.profile.laws import tally
from models.reaction import Judgement
from models.records import NO_FEATURES
from models.rhythm import CONTACTS, DAY_MS, beat, join
from models.score import score
from models.timers import LATE_MS, NEVER_MS

CONTRACTS: Final = frozenset(
    {"subscription_started", "subscription_renewed", "subscription_cancelled"}
)
# Nobody was there to see an offer for a touchpoint that reaches us later than this.
DECIDE_WITHIN_MS: Final = DAY_MS

# What the customer does, and so a moment to judge at; a cancellation is, but is no sign of life.
MOMENTS: Final = CONTACTS | CONTRACTS

MAX_CONTACTED: Final = 20  # times of offers made, for the cap over all of them

SILENCE: Final = "silence"  # timers, by name
LOST: Final = "lost"
RENEWAL: Final = "renewal"
LABEL: Final = "label"


def note(customer: Customer, event_type: str, at_ms: int, said: Said = NOTHING_SAID) -> Customer:
    """Take in a touchpoint at its own time: rhythm, returns, purchases, answers to offers.

    Call it once for each touchpoint folded, late ones too, before `judged` and after its
    contract, if it is of one, was folded. `said` is what it says of offers.
    """
    if event_type in CONTACTS:
        rhythm, pending = beat(customer.rhythm, at_ms), returned(customer.pending, at_ms)
        customer = replace(customer, rhythm=rhythm, pending=pending)
    if event_type in CONTRACTS and customer.pending:
        pending = signed(customer.pending, customer.contracts, at_ms)
        customer = replace(customer, pending=pending)
    if event_type not in FOLLOWS:
        return customer
    if event_type in ANSWERS:
        customer = replace(customer, pending=acted(customer.pending, at_ms))
    return followed(customer, event_type, at_ms, said)


def judged(
    customer: Customer,
    at_ms: int,
    received_ms: int,
    cause: str,
    judge: Judge,
    touch: bool,
    opens: bool = True,
) -> Judgement:
    """Judge the customer at `at_ms`, no earlier than its clock.

    `touch`: a touchpoint was folded (`note` came before); else a timer is due.
    `opens`: an episode may open; a merge or an unmerge is no news of the customer's own.
    """
    look = touch or _is_asked_for(customer, at_ms, judge)
    if at_ms > customer.clock_ms:
        customer = replace(customer, clock_ms=at_ms)
    if judge.silent:
        return Judgement(customer)
    customer, examples = mature(customer, at_ms, judge.catalogue)
    judgement = Judgement(customer, examples=examples)
    if look:
        _look(judgement, at_ms, received_ms, cause, judge, opens)
    return judgement


def _is_asked_for(customer: Customer, at_ms: int, judge: Judge) -> bool:
    """Tell whether a timer asks for a look at the customer by `at_ms`; LABEL does not."""
    return any(due <= at_ms for due in _looks(customer, judge).values())


def wakes(customer: Customer, judge: Judge) -> dict[str, int]:
    """Return the customer's timers, name -> due (ms): when `judged` is wanted if nothing comes."""
    if judge.silent:
        return {}
    found = _looks(customer, judge)
    if (label := label_ms(customer)) is not None:
        found[LABEL] = label
    return found


def soonest(timers: dict[str, int]) -> int:
    """Return when the first of some timers is due (ms); after every time if there is none."""
    first = NEVER_MS
    for due in timers.values():  # `min` of them would be Python's, and take longer than all else
        if due < first:
            first = due
    return first


def _looks(customer: Customer, judge: Judge) -> dict[str, int]:
    found: dict[str, int] = {}
    if (silence := checkpoint_ms(customer)) is not None:
        found[SILENCE] = silence
    if (lost := lost_ms(customer, judge.horizon_days)) is not None:
        found[LOST] = lost
    if customer.contracts and (renewal := renewal_ms(customer)) is not None:
        found[RENEWAL] = renewal
    return found


def absorb(
    winner: Customer, loser: Customer, at_ms: int, received_ms: int, cause: str
) -> Judgement:
    """Take over what was judged about the loser; profiles are merged elsewhere.

    What waits on either side is answered by the contacts of the other. Caps add up.
    """
    contracts = join_contracts(winner.contracts, loser.contracts)
    ours, theirs = _beside(winner, loser, contracts), _beside(loser, winner, contracts)
    awaited = [*ours.awaited, *theirs.awaited]
    merged = replace(
        winner,
        rhythm=join(winner.rhythm, loser.rhythm),
        pending=joined(ours.pending, theirs.pending),
        awaited=sorted(awaited, key=lambda a: (a.at_ms, a.decision_id)),
        offer=winner.offer or loser.offer,
        offers_made=tally(winner.offers_made, loser.offers_made),
        offers_taken=tally(winner.offers_taken, loser.offers_made),
        contacted=sorted({*winner.contacted, *loser.contacted})[-MAX_CONTACTED:],
    )
    merged, alerts = inherit(merged, loser, at_ms, received_ms, cause)
    return Judgement(merged, alerts=alerts)


def _beside(waiting: Customer, other: Customer, contracts: Contracts) -> Customer:
    """Return the customer with what waits answered by another's contacts, as far as known.

    `contracts`: of both. Known of the other are the first contact, the last, and the moments
    that travel with the profile.
    """
    if not waiting.pending and not waiting.awaited:
        return waiting
    pending, awaited = waiting.pending, waiting.awaited
    for at_ms in (other.rhythm.first_ms, other.rhythm.last_ms):
        pending = pending if at_ms is None else returned(pending, at_ms)
    for moment in moments(other.profile.recent):
        if moment.type in CONTACTS:
            pending = returned(pending, moment.at_ms)
        awaited = beside(awaited, moment.type, moment.at_ms, other.awaited)
        if moment.type in CONTRACTS:
            pending = signed(pending, contracts, moment.at_ms)
    return replace(waiting, pending=pending, awaited=awaited)


def _look(
    judgement: Judgement, at_ms: int, received_ms: int, cause: str, judge: Judge, opens: bool
) -> None:
    made = score(judgement.customer, at_ms, cause, judge)
    judgement.scores.append(made)
    past = received_ms - at_ms > LATE_MS
    judgement.customer = await_label(judgement.customer, made, past)
    if judgement.customer.offer is not None and withdrawn(judgement.customer, judge):
        judgement.customer = replace(judgement.customer, offer=None)
    if received_ms - at_ms <= DECIDE_WITHIN_MS:
        judgement.customer = replace(judgement.customer, risk=made)
        _offer(judgement, at_ms, cause, judge)
    # After the offer, so that an alert tells which offer to make.
    customer, alerts = edges(judgement.customer, made, received_ms, judge, opens)
    judgement.alerts += alerts
    if alerts and is_open(customer):
        customer = replace(customer, pending=acted(customer.pending, at_ms))
    # From which features, the score's own record tells, and what waits for its label.
    judgement.customer = replace(customer, risk=replace(made, features=NO_FEATURES))


def _offer(judgement: Judgement, at_ms: int, cause: str, judge: Judge) -> None:
    customer = judgement.customer
    decision = decide(customer, at_ms, cause, judge)
    if decision is None:
        return
    judgement.decisions.append(decision)
    customer = await_outcome(customer, decision, judge.catalogue)
    made, contacted = customer.offers_made, customer.contacted
    if decision.channel is not None:
        made = {**made, decision.offer: made.get(decision.offer, 0) + 1}
        contacted = [*contacted, at_ms][-MAX_CONTACTED:]
        if customer.awaited[-1].limited:
            word = (customer.customer_id, decision.decision_id, decision.offer, at_ms, 1)
            judgement.examples.append(reserved(*word))
    judgement.customer = replace(
        customer, offer=standing_form(decision), offers_made=made, contacted=contacted
    )
