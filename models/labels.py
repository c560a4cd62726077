"""Labels: predictions wait for what came true, and become examples.

Both classes are released when the horizon ends, never sooner: an early label would
give away by its freshness what it is. What happens at the very moment that a label is
due comes after it, whichever is looked at first. A label that falls due beyond the end
of the observed data is dropped: silence after the end of a file means nothing.

Who begins or ends a contract keeps what waits: each prediction is judged by what it said.
Of silence, the beginning is a contact; of contracts, the end is what was predicted.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from models.alerts import is_open
from models.catalogue import Catalogue
from models.contracts import GRACE_DAYS, Contracts, ends_ms, running
from models.customer import Customer, Pending
from models.horizon import CONTRACT, SILENCE, model_of
from models.outcomes import freed, released
from models.overlap import weight
from models.records import Example, Reserved, Score
from models.rhythm import DAY_MS
from models.timers import NEVER_MS

# Predictions that wait for their labels, evenly over the horizon: what is predicted an hour
# later says much the same, costs as much to keep and to learn, and would leave no room.
MAX_PENDING: Final = 8
# A contract's end answers all that wait alike. Learnt as if each were news, an eighth of the
# horizon apart, they made the model surer than it may be (tests/evaluation/sets/contracts.py).
CONTRACTS_PENDING: Final = 2
CHECKPOINT_DAYS: Final = (7, 14, 30, 60, 90, 180, 365)  # of silence, at which a customer is scored
_CHECKPOINTS_MS: Final = tuple(days * DAY_MS for days in CHECKPOINT_DAYS)
# Days from a contract's stated end at which the customer is scored; the last is the grace's end.
RENEWAL_DAYS: Final = (-30, -7, 1, GRACE_DAYS)
_RENEWALS_MS: Final = tuple(days * DAY_MS for days in RENEWAL_DAYS)
# Who begins another contract within it has switched, not left.
_SWITCH_MS: Final = GRACE_DAYS * DAY_MS


def await_label(customer: Customer, made: Score, past: bool = False) -> Customer:
    """Return the customer with the score waiting for its label; `past`: told to nobody.

    Unless another one waits close by, or the label falls due beyond the observed data.
    """
    pending, horizon_ms = customer.pending, made.horizon_days * DAY_MS
    each = CONTRACTS_PENDING if made.horizon.startswith(CONTRACT) else MAX_PENDING
    due, apart_ms = made.at_ms + horizon_ms, horizon_ms // each
    if len(pending) >= MAX_PENDING or (pending and made.at_ms - pending[-1].at_ms < apart_ms):
        return customer
    if customer.observed_until_ms is not None and due > customer.observed_until_ms:
        return customer
    waiting = Pending(
        at_ms=made.at_ms,
        due_ms=due,
        probability=made.probability,
        model_version=made.model_version,
        features=made.features,
        horizon=made.horizon,
        acted=is_open(customer),
        past=past,
        weight=weight(made.at_ms, due, _covered_ms(pending, made.horizon)),
    )
    return replace(customer, pending=[*pending, waiting])


def joined(ours: list[Pending], theirs: list[Pending]) -> list[Pending]:
    """Return what waits of two who are one, by time: what both predicted counts once."""
    found: list[Pending] = []
    for p in sorted([*ours, *theirs], key=lambda p: (p.at_ms, p.due_ms))[:MAX_PENDING]:
        new = weight(p.at_ms, p.due_ms, _covered_ms(found, p.horizon))
        found.append(replace(p, weight=new) if new < p.weight else p)
    return found


def _covered_ms(pending: list[Pending], horizon: str) -> int:
    """Return until when predictions of the same are waited for; 0: there are none."""
    covered = 0
    for p in pending:
        if p.horizon == horizon and p.due_ms > covered:
            covered = p.due_ms
    return covered


def returned(pending: list[Pending], at_ms: int) -> list[Pending]:
    """Return what is pending after a contact at `at_ms`: it answers predictions of silence."""
    for p in pending:
        if not p.met_ms and p.at_ms < at_ms < p.due_ms and p.horizon.startswith(SILENCE):
            return [_met(p, at_ms, SILENCE) for p in pending]
    return pending


def signed(pending: list[Pending], contracts: Contracts, at_ms: int) -> list[Pending]:
    """Return what is pending after a word on a contract at `at_ms`.

    The end of the last one answers predictions of it; another one soon after takes that back.
    """
    if not any(p.horizon.startswith(CONTRACT) for p in pending):
        return pending
    if not running(contracts, at_ms):
        return [_met(p, at_ms, CONTRACT) for p in pending]
    return [
        replace(p, met_ms=0)
        if p.horizon.startswith(CONTRACT) and p.met_ms <= at_ms <= p.met_ms + _SWITCH_MS
        else p
        for p in pending
    ]


def acted(pending: list[Pending], at_ms: int) -> list[Pending]:
    """Return what is pending after somebody acted on the customer at `at_ms`."""
    if all(p.acted for p in pending):
        return pending
    return [replace(p, acted=True) if p.at_ms <= at_ms < p.due_ms else p for p in pending]


def _met(p: Pending, at_ms: int, definition: str) -> Pending:
    if p.met_ms or not p.horizon.startswith(definition) or not p.at_ms < at_ms < p.due_ms:
        return p
    return replace(p, met_ms=at_ms)


def label_ms(customer: Customer) -> int | None:
    """Return when the next label or outcome falls due; None: nothing waits."""
    soonest = NEVER_MS
    for predicted in customer.pending:
        soonest = min(soonest, predicted.due_ms)
    for decided in customer.awaited:
        soonest = min(soonest, decided.due_ms)
    return soonest if soonest < NEVER_MS else None


def mature(
    customer: Customer, until_ms: int, catalogue: Catalogue
) -> tuple[Customer, list[Example | Reserved]]:
    """Release every label and outcome due by `until_ms`, in order of their due times."""
    due = label_ms(customer)
    if due is None or due > until_ms:
        return customer, []
    ripe = [p for p in customer.pending if p.due_ms <= until_ms]
    over = [a for a in customer.awaited if a.due_ms <= until_ms]
    end = customer.observed_until_ms
    examples = [_example(customer, p) for p in ripe if end is None or p.due_ms <= end]
    examples += [released(customer, a, catalogue) for a in over if end is None or a.due_ms <= end]
    examples.sort(key=lambda example: (example.label_ms, example.example_id))
    kept = replace(
        customer,
        pending=[p for p in customer.pending if p.due_ms > until_ms],
        awaited=[a for a in customer.awaited if a.due_ms > until_ms],
    )
    return kept, [*examples, *(word for a in over for word in freed(customer, a))]


def checkpoint_ms(customer: Customer) -> int | None:
    """Return when silence is next looked at, after the customer's clock; None: no more.

    Beyond the end of a backfill nobody looked, so there is no silence either.
    """
    last, clock, end = customer.rhythm.last_ms, customer.clock_ms, customer.observed_until_ms
    if last is None:
        return None
    for silence in _CHECKPOINTS_MS:
        look = last + silence
        if look > clock:
            return None if end is not None and look > end else look
    return None


def renewal_ms(customer: Customer) -> int | None:
    """Return when a contract's end is next looked at, after the customer's clock; None: never."""
    clock, end = customer.clock_ms, customer.observed_until_ms
    soonest = NEVER_MS
    for one in customer.contracts.values():
        ends = ends_ms(one)
        if ends is None:
            continue
        for at in _RENEWALS_MS:
            look = ends + at
            if clock < look < soonest:
                soonest = look
    return None if soonest == NEVER_MS or (end is not None and soonest > end) else soonest


def _example(customer: Customer, waited: Pending) -> Example:
    model = model_of(waited.horizon)
    if waited.horizon.startswith(SILENCE):
        churned = not waited.met_ms
    else:  # cancelled within the horizon, or by its end without a contract
        churned = bool(waited.met_ms) or not running(customer.contracts, waited.due_ms)
    return Example(
        example_id=f"{model}:{customer.customer_id}:{waited.at_ms}",
        customer_id=customer.customer_id,
        model=model,
        model_version=waited.model_version,
        at_ms=waited.at_ms,
        label_ms=waited.due_ms,
        features=waited.features,
        label=float(churned),
        probability=waited.probability,
        horizon=waited.horizon,
        acted=waited.acted,
        past=waited.past,
        weight=waited.weight,
    )
