"""Reasons: a score's logit, shared out among things that people have words for.

Features that move together are one reason, else two would cancel each other out.
A reason says what the model counted; it does not say what caused what.
"""

from __future__ import annotations

from math import log

from models.customer import Customer
from models.online.served import Served
from models.online.shares import BASE, PRIOR
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
_NAMES = sorted(GROUPS)
_GROUP = {name: place for place, group in enumerate(_NAMES) for name in GROUPS[group]}
_SILENCE, _HABIT = _NAMES.index("silence"), _NAMES.index("habit")
_SILENT = _GROUP | {PRIOR: _SILENCE, "alive": _SILENCE}
_HERE = _GROUP | {PRIOR: _HABIT, "alive": _HABIT}  # where there is no silence to speak of
# Where the prior is that of contracts.
_SIGNED = _GROUP | {PRIOR: _NAMES.index("contract"), "alive": _HABIT}


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
    strongest = _strongest(shares, group_of, top is None)
    told = []
    for _, group, share in strongest[:top]:
        if group == "silence":
            told.append(Reason(group, share, days, own, "silence"))
            continue
        about = _about(group, share, seen, shares)
        value = as_it_was(about, seen.get(about, 0.0))
        mean = model.usual(about)
        usual = None if mean is None else as_it_was(about, mean)
        told.append(Reason(group, share, value, usual, about))
    return told


def _strongest(
    shares: dict[str, float], group_of: dict[str, int], weak_too: bool
) -> list[tuple[float, str, float]]:
    """Return minus strength, name and sum of each group of shares, strongest first.

    Not `weak_too`: no word is lost on what moves nothing.
    """
    # By place in a list: a dict of sums would be asked twice for each feature.
    sums, met = [0.0] * len(_NAMES), [False] * len(_NAMES)
    found: list[tuple[float, str, float]] = []
    for feature, share in shares.items():
        place = group_of.get(feature)
        if place is not None:
            sums[place] += share
            met[place] = True
        elif feature != BASE and (weak_too or abs(share) >= LEAST):
            found.append((-abs(share), feature, share))
    for place, share in enumerate(sums):
        if (met[place] and weak_too) or abs(share) >= LEAST:
            found.append((-abs(share), _NAMES[place], share))
    found.sort()
    return found


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
        if (share if total > 0.0 else -share) > most and name in seen:
            about, most = name, abs(share)
    if most or about in seen:
        return about
    return next((name for name in members if name in seen), about)
