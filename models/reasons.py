"""Reasons: a score's logit, shared out among things that people have words for.

Features that move together are one reason, else two would cancel each other out.
A reason says what the model counted; it does not say what caused what.
"""

from __future__ import annotations

import math

from models.customer import Customer
from models.online.churn import BASE, PRIOR, ChurnModel
from models.records import Reason
from models.rhythm import silence_days

# reason -> its features, the first of which is shown when nothing better is known.
GROUPS = {
    "silence": ("silence", "overdue", "since_order", PRIOR),
    "habit": ("visits", "gap", "unsteady", "once", "age"),
    "purchases": ("orders", "items", "refunds"),
    "subscription": ("subscribed",),
    "service": ("open_tickets", "tickets", "since_ticket", "wait"),
    "satisfaction": ("nps", "csat", "ces", "review"),
    "messages": ("clicked", "opened"),
    "offers": ("accepted", "declined"),
}
_GROUP = {feature: group for group, members in GROUPS.items() for feature in members}
_LOGS = {"silence", "visits", "orders"}  # shown as they were before the logarithm


def reasons(
    customer: Customer,
    at_ms: int,
    seen: dict[str, float],
    shares: dict[str, float],
    model: ChurnModel,
    top: int | None = None,
) -> list[Reason]:
    """Return the `top` reasons (None: all), strongest first.

    All of them and `shares[BASE]` sum to the logit.

    `value` and `usual` are days for "silence" (usual: the customer's own gap) and the
    leading feature against the population's mean for the others.
    """
    grouped: dict[str, float] = {}
    for feature, share in shares.items():
        if feature != BASE:
            group = _GROUP.get(feature, feature)
            if feature == PRIOR and not _is_silent(customer, at_ms):
                group = "habit"  # the prior weighs both as one; here is no silence to speak of
            grouped[group] = grouped.get(group, 0.0) + share
    ranked = sorted(grouped.items(), key=lambda item: (-abs(item[1]), item[0]))[:top]
    return [_reason(group, share, customer, at_ms, seen, model) for group, share in ranked]


def _reason(
    group: str,
    share: float,
    customer: Customer,
    at_ms: int,
    seen: dict[str, float],
    model: ChurnModel,
) -> Reason:
    if group == "silence":
        own = customer.rhythm.gap_mean if customer.rhythm.gaps else None
        days = silence_days(customer.rhythm, at_ms)
        return Reason(feature=group, contribution=share, value=days, usual=own)
    leading = _leading(group, seen)
    value, usual = seen.get(leading, 0.0), model.scaler.mean(leading)
    if leading in _LOGS:
        value, usual = math.expm1(value), None if usual is None else math.expm1(usual)
    return Reason(feature=group, contribution=share, value=value, usual=usual)


def _is_silent(customer: Customer, at_ms: int) -> bool:
    """Tell whether the customer stays away longer than usual, and than a day."""
    usual = customer.rhythm.gap_mean if customer.rhythm.gaps else 0.0
    return silence_days(customer.rhythm, at_ms) > max(usual, 1.0)


def _leading(group: str, seen: dict[str, float]) -> str:
    """Return the first of the group's features that is known of this customer."""
    members = GROUPS.get(group, (group,))
    for name in members:
        if name in seen:
            return name
    return members[0]
