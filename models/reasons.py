"""Reasons: a score's logit, shared out among things that people have words for.

Features that move together are one reason, else two would cancel each other out.
A reason says what the model counted; it does not say what caused what.
"""

from __future__ import annotations

from math import log

from models.customer import Customer
from models.online.served import BASE, PRIOR, Served
from models.phrases import OTHER
from models.records import Reason, Score
from models.rhythm import silence_days
from models.wording import as_it_was

# reason -> its features. The prior is told by what it was made from.
GROUPS = {
    "silence": ("silence", "overdue", "since_order"),
    "habit": ("visits", "gap", "unsteady", "once", "age"),
    "purchases": ("orders", "items", "refunds"),
    "renewal": ("to_renewal", "renewal_due", "unrenewed"),
    "contract": ("tenure", "renewals", "period", "trial", "contracts", "given_up"),
    "past_contract": ("contract_ended",),
    "service": ("open_tickets", "tickets", "since_ticket", "wait"),
    "satisfaction": ("nps", "csat", "ces", "review", "sentiment"),
    "messages": ("clicked", "opened"),
    "offers": ("accepted", "declined"),
}
LEAST = 0.01  # log-odds: a weaker reason is left to the rest
_GROUP = {feature: group for group, members in GROUPS.items() for feature in members}
_SILENT = _GROUP | {PRIOR: "silence", "alive": "silence"}
_HERE = _GROUP | {PRIOR: "habit", "alive": "habit"}  # where there is no silence to speak of
_SIGNED = _GROUP | {PRIOR: "contract", "alive": "habit"}  # where the prior is that of contracts


def reasons(
    customer: Customer,
    at_ms: int,
    seen: dict[str, float],
    shares: dict[str, float],
    model: Served,
    top: int | None = None,
) -> list[Reason]:
    """Return the `top` reasons (None: all), strongest first.

    All of them and `shares[BASE]` sum to the logit. `about` names the feature that moved its
    reason most; `value` and `usual` are that feature's, as people count it, and its mean in
    the population. Of "silence" they are days, and the customer's own usual gap.
    """
    rhythm = customer.rhythm
    days, own = silence_days(rhythm, at_ms), rhythm.gap_mean if rhythm.gaps else None
    if "tenure" in seen:
        group_of = _SIGNED
    else:
        # The prior weighs silence and habit as one; silent is who stays away longer than usual
        # and than a day.
        group_of = _SILENT if days > 1.0 and (own is None or days > own) else _HERE
    sums: dict[str, float] = {}
    for feature, share in shares.items():
        group = group_of.get(feature, feature)
        sums[group] = sums.get(group, 0.0) + share
    sums.pop(BASE, None)
    told = []
    strongest = sorted([(-abs(share), group) for group, share in sums.items()])[:top]
    for strength, group in strongest:
        if top is not None and -strength < LEAST:  # no word is lost on what moves nothing
            break
        if group == "silence":
            told.append(Reason(group, sums[group], days, own, "silence"))
        else:
            about = _about(group, sums[group], seen, shares)
            value = as_it_was(about, seen.get(about, 0.0))
            mean = model.usual(about)
            usual = None if mean is None else as_it_was(about, mean)
            told.append(Reason(group, sums[group], value, usual, about))
    return told


def rest(score: Score) -> list[Reason]:
    """Return what the score's reasons leave out, then its base: with them they sum to its logit."""
    p = score.probability
    logit = log(p / (1.0 - p)) if 0.0 < p < 1.0 else 0.0
    left = logit - score.base - sum(one.contribution for one in score.reasons)
    return [Reason(OTHER, left, 0.0), Reason(BASE, score.base, 0.0)]


def _about(group: str, total: float, seen: dict[str, float], shares: dict[str, float]) -> str:
    """Return the group's feature that moved it most in its own direction, of those known."""
    members = GROUPS.get(group)
    if members is None:
        return group
    about, most = members[0], 0.0
    for name in members:
        share = shares.get(name, 0.0)
        if name in seen and (share if total > 0.0 else -share) > most:
            about, most = name, abs(share)
    if most or about in seen:
        return about
    return next((name for name in members if name in seen), about)
