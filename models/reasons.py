"""Reasons: a score's logit, shared out among things that people have words for.

Features that move together are one reason, else two would cancel each other out.
A reason says what the model counted; it does not say what caused what.
"""

from __future__ import annotations

from math import exp, inf, isnan, log
from typing import Final

from librt.vecs import vec
from mypy_extensions import i64

from models import places
from models.customer import Customer
from models.online.scorecard import Scorecard
from models.online.shares import BASE, Shares
from models.online.vectors import unknown
from models.phrases import LOGS, OTHER
from models.records import Reason, Score
from models.rhythm import silence_days
from models.rounding import to_four

# reason -> its features. The prior is told by what it was made from.
GROUPS = {
    "silence": ("silence", "overdue", "since_order"),
    "habit": ("visits", "gap", "unsteady", "once", "age"),
    "purchases": ("orders", "items", "refunds"),
    "renewal": ("to_renewal", "renewal_due", "term_due", "unrenewed"),
    "contract": ("tenure", "renewals", "period", "trial", "contracts", "given_up"),
    "price": ("price_rise",),
    "past_contract": ("contract_ended",),
    "service": ("open_tickets", "tickets", "since_ticket", "wait"),
    "satisfaction": ("nps", "csat", "ces", "review", "sentiment"),
    "messages": ("clicked", "opened"),
    "offers": ("accepted", "declined"),
}
LEAST: Final = 0.01  # log-odds: a weaker reason is left to the rest
_NAMES: Final = sorted(GROUPS)
_MEMBERS: Final = [
    vec[i64]([places.NAMES.index(name) for name in GROUPS[group]]) for group in _NAMES
]
_LOGS: Final = [name in LOGS for name in places.NAMES]
_SILENCE, _HABIT, _CONTRACT = (_NAMES.index(name) for name in ("silence", "habit", "contract"))


def _groups(prior: int, alive: int) -> vec[i64]:
    """Return each feature's group by place."""
    found = {place: group for group, members in enumerate(_MEMBERS) for place in members}
    found |= {places.PRIOR_LOGIT: prior, places.ALIVE: alive}
    return vec[i64]([found[place] for place in range(places.MANY)])


_SILENT: Final = _groups(_SILENCE, _SILENCE)
_HERE: Final = _groups(_HABIT, _HABIT)  # where there is no silence to speak of
_SIGNED: Final = _groups(_CONTRACT, _HABIT)  # where the prior is that of contracts


def reasons(
    customer: Customer,
    at_ms: int,
    seen: vec[float],
    shares: Shares,
    card: Scorecard,
    top: int | None = None,
) -> list[Reason]:
    """Return the `top` reasons (None: all), strongest first; `seen`: the features by place.

    All of them and the shares' base sum to the logit. `about` names the feature that moved its
    reason most; `value` and `usual` are that feature's, as people count it, and its mean in
    the population. Of "silence" they are days, and the customer's own usual gap.
    """
    rhythm = customer.rhythm
    days, own = silence_days(rhythm, at_ms), rhythm.gap_mean if rhythm.gaps else None
    if not isnan(seen[places.TENURE]):
        group_of = _SIGNED
    else:
        # The prior weighs silence and habit as one; silent is who stays away longer than usual
        # and than a day.
        group_of = _SILENT if days > 1.0 and (own is None or days > own) else _HERE
    sums = _summed(shares, group_of)
    told = []
    for group in _strongest(sums, top):
        name, share = _NAMES[group], sums[group]
        if group == _SILENCE:
            own = None if own is None else to_four(own)
            told.append(Reason(name, to_four(share), to_four(days), own, name))
            continue
        place = _about(group, share, seen, shares)
        value, mean = seen[place], card.usual(place)
        value = _counted(place, 0.0 if isnan(value) else value)
        usual = None if mean is None else _counted(place, mean)
        told.append(Reason(name, to_four(share), value, usual, places.NAMES[place]))
    return told


def _summed(shares: Shares, group_of: vec[i64]) -> vec[float]:
    """Return the sum of each group's shares, NaN of a group that has none."""
    by_place, told, sums = shares.by_place, shares.told, unknown(len(_NAMES))
    for number in range(i64(len(told))):
        place = told[number]
        if place >= len(group_of):  # a feature that no customer of ours has, and no words tell
            continue
        group = group_of[place]
        sums[group] = (0.0 if isnan(sums[group]) else sums[group]) + by_place[place]
    return sums


def _strongest(sums: vec[float], top: int | None) -> list[int]:
    """Return the `top` groups by the size of their sums; of two as strong the one first by name.

    Of so many, no word is lost on what moves nothing; of all (None) it is told as well.
    """
    found: list[int] = []
    most, least = (len(_NAMES), 0.0) if top is None else (top, LEAST)
    last, told = inf, i64(-1)
    while len(found) < most:
        best, strongest = i64(-1), -1.0
        for group in range(i64(len(_NAMES))):
            strength = abs(sums[group])
            after = strength < last or (strength == last and group > told)
            if after and strength >= least and strength > strongest:
                best, strongest = group, strength
        if best < 0:
            break
        found.append(best)
        last, told = strongest, best
    return found


def _counted(place: int, value: float) -> float:
    """Return a feature's value as people count it: before the logarithm, to four decimals.

    Compiled it is the machine's `exp`; `expm1` would be Python's, and the same to four decimals.
    """
    return to_four(exp(value) - 1.0 if _LOGS[place] else value)


def rest(score: Score) -> list[Reason]:
    """Return what the score's reasons leave out, then its base: with them they sum to its logit."""
    p = score.probability
    logit = log(p / (1.0 - p)) if 0.0 < p < 1.0 else 0.0
    left = logit - score.base - sum(one.contribution for one in score.reasons)
    return [Reason(OTHER, left, 0.0), Reason(BASE, score.base, 0.0)]


def _about(group: int, total: float, seen: vec[float], shares: Shares) -> int:
    """Return the group's feature that moved it most in its own direction, of those known."""
    members, by_place = _MEMBERS[group], shares.by_place
    about, most = i64(-1), 0.0
    for number in range(i64(len(members))):
        place = members[number]
        share = by_place[place]
        if (share if total > 0.0 else -share) > most and not isnan(seen[place]):
            about, most = place, abs(share)
    if about >= 0:
        return about
    return next((place for place in members if not isnan(seen[place])), members[0])
