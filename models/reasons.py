"""Reasons: a score's logit, shared out among things that people have words for.

Features that move together are one reason, else two would cancel each other out.
A reason says what the model counted; it does not say what caused what.
"""

from __future__ import annotations

from math import expm1

from models.customer import Customer
from models.online.served import BASE, PRIOR, Served
from models.records import Reason
from models.rhythm import silence_days

# reason -> its features, the first of which is shown when nothing better is known.
GROUPS = {
    "silence": ("silence", "overdue", "since_order", PRIOR),
    "habit": ("visits", "gap", "unsteady", "once", "age"),
    "purchases": ("orders", "items", "refunds"),
    "renewal": ("to_renewal", "renewal_due", "unrenewed"),
    "contract": ("tenure", "renewals", "period", "trial", "contracts", "given_up"),
    "subscription": ("contract_ended",),
    "service": ("open_tickets", "tickets", "since_ticket", "wait"),
    "satisfaction": ("nps", "csat", "ces", "review"),
    "messages": ("clicked", "opened"),
    "offers": ("accepted", "declined"),
}
_GROUP = {feature: group for group, members in GROUPS.items() for feature in members}
_GROUP_HERE = _GROUP | {PRIOR: "habit"}  # where there is no silence to speak of
_GROUP_SIGNED = _GROUP | {PRIOR: "contract"}  # where the prior is that of contracts
_LOGS = {"silence", "visits", "orders"}  # shown as they were before the logarithm


def reasons(
    customer: Customer,
    at_ms: int,
    seen: dict[str, float],
    shares: dict[str, float],
    model: Served,
    top: int | None = None,
) -> list[Reason]:
    """Return the `top` reasons (None: all), strongest first.

    All of them and `shares[BASE]` sum to the logit.

    `value` and `usual` are days for "silence" (usual: the customer's own gap) and the
    leading feature against the population's mean for the others.
    """
    rhythm = customer.rhythm
    days, own = silence_days(rhythm, at_ms), rhythm.gap_mean if rhythm.gaps else None
    # The prior weighs silence and habit as one; silent is who stays away longer than usual
    # and than a day.
    group_of = _GROUP if days > 1.0 and (own is None or days > own) else _GROUP_HERE
    if "tenure" in seen:
        group_of = _GROUP_SIGNED
    sums: dict[str, float] = {}
    for feature, share in shares.items():
        group = group_of.get(feature, feature)
        sums[group] = sums.get(group, 0.0) + share
    sums.pop(BASE, None)
    told = []
    for _, group in sorted([(-abs(share), group) for group, share in sums.items()])[:top]:
        value, usual = (days, own) if group == "silence" else _shown(group, seen, model)
        told.append(Reason(group, sums[group], value, usual))
    return told


def _shown(group: str, seen: dict[str, float], model: Served) -> tuple[float, float | None]:
    """Return the group's first feature that is known of this customer, and its mean."""
    members = GROUPS.get(group, (group,))
    leading = members[0]
    for name in members:
        if name in seen:
            leading = name
            break
    value, usual = seen.get(leading, 0.0), model.usual(leading)
    if leading in _LOGS:
        return expm1(value), None if usual is None else expm1(usual)
    return value, usual
