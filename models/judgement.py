"""What follows from a customer's new state: labels, score, offer, alert; in that order.

The one door for the fold. Time comes in with the arguments; nothing here looks at a
clock, so the same log gives the same judgements.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from models.alerts import edges, inherit, lost_ms
from models.customer import Awaited, Customer
from models.decide import decide
from models.judge import Judge
from models.labels import (
    MAX_PENDING,
    await_label,
    await_outcome,
    checkpoint_ms,
    converted,
    mature,
    returned,
)
from models.records import Alert, Decision, Example, Score
from models.rhythm import CONTACTS, DAY_MS, beat, join
from models.score import score

CONVERSIONS = frozenset({"order_placed", "subscription_started", "offer_accepted"})
# Nobody was there to see an offer for a touchpoint that reaches us later than this.
DECIDE_WITHIN_MS = DAY_MS

SILENCE = "silence"  # timers, by name
LOST = "lost"
LABEL = "label"


@dataclass(slots=True)
class Judgement:
    """The customer after it, and what goes out."""

    customer: Customer
    scores: list[Score] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)


def note(customer: Customer, event_type: str, at_ms: int, offer: str | None = None) -> Customer:
    """Take in a touchpoint at its own time: rhythm, returns, conversions, answers to offers.

    Call it once for each touchpoint folded, late ones too, before `judged`.
    `offer` is the offer's id for offer_shown, offer_accepted and offer_declined.
    """
    if event_type in CONTACTS:
        customer = returned(replace(customer, rhythm=beat(customer.rhythm, at_ms)), at_ms)
    if event_type in CONVERSIONS:
        customer = converted(customer, at_ms)
    if offer is not None and event_type == "offer_shown":
        shown = [replace(a, shown=a.shown or a.offer == offer) for a in customer.awaited]
        customer = replace(customer, awaited=shown)
    answered = event_type in ("offer_accepted", "offer_declined")
    if answered and customer.offer is not None and customer.offer.offer == offer:
        customer = replace(customer, offer=None)  # no channel shows it again
    return customer


def judged(
    customer: Customer, at_ms: int, received_ms: int, cause: str, judge: Judge, touch: bool
) -> Judgement:
    """Judge the customer at `at_ms`, no earlier than its clock.

    `touch`: a touchpoint was folded (`note` came before); else a timer is due.
    """
    due = [name for name, at in wakes(customer, judge).items() if at <= at_ms]
    customer, examples = mature(replace(customer, clock_ms=max(customer.clock_ms, at_ms)), at_ms)
    judgement = Judgement(customer, examples=examples)
    if touch or SILENCE in due or LOST in due:
        _look(judgement, at_ms, received_ms, cause, judge)
    return judgement


def wakes(customer: Customer, judge: Judge) -> dict[str, int]:
    """Return the customer's timers, name -> due (ms): when `judged` is wanted if nothing comes."""
    waits = [p.due_ms for p in customer.pending] + [a.due_ms for a in customer.awaited]
    found = {
        SILENCE: checkpoint_ms(customer),
        LOST: lost_ms(customer, judge.horizon_days),
        LABEL: min(waits, default=None),
    }
    return {name: at for name, at in found.items() if at is not None}


def absorb(
    winner: Customer, loser: Customer, at_ms: int, received_ms: int, cause: str
) -> Judgement:
    """Take over what was judged about the loser; profiles are merged elsewhere."""
    pending = sorted([*winner.pending, *loser.pending], key=lambda p: (p.at_ms, p.due_ms))
    made = dict(winner.offers_made)
    for offer, times in loser.offers_made.items():
        made[offer] = made.get(offer, 0) + times
    merged = replace(
        winner,
        rhythm=join(winner.rhythm, loser.rhythm),
        pending=pending[:MAX_PENDING],
        awaited=_awaited(winner.awaited, loser.awaited),
        offer=winner.offer or loser.offer,
        offers_made=made,
    )
    merged, alerts = inherit(merged, loser, at_ms, received_ms, cause)
    return Judgement(merged, alerts=alerts)


def _awaited(ours: list[Awaited], theirs: list[Awaited]) -> list[Awaited]:
    return sorted([*ours, *theirs], key=lambda a: (a.at_ms, a.decision_id))


def _look(judgement: Judgement, at_ms: int, received_ms: int, cause: str, judge: Judge) -> None:
    made = score(judgement.customer, at_ms, cause, judge)
    judgement.scores.append(made)
    judgement.customer = await_label(replace(judgement.customer, risk=made), made)
    if received_ms - at_ms <= DECIDE_WITHIN_MS:
        _offer(judgement, at_ms, cause, judge)
    # After the offer, so that an alert tells which offer to make.
    judgement.customer, alerts = edges(judgement.customer, made, received_ms, judge)
    judgement.alerts += alerts


def _offer(judgement: Judgement, at_ms: int, cause: str, judge: Judge) -> None:
    customer = judgement.customer
    decision = decide(customer, at_ms, cause, judge)
    if decision is not None:
        times = customer.offers_made.get(decision.offer, 0) + 1
        judgement.decisions.append(decision)
        judgement.customer = replace(
            await_outcome(customer, decision),
            offer=decision,
            offers_made={**customer.offers_made, decision.offer: times},
        )
