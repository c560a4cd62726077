"""P(alive) on CDNOW beside the BG/NBD of the Lifetimes library: who buys again?

Both fitted on the first 39 weeks of all customers, judged on the 39 weeks after. BG/NBD holds
each one-time buyer for alive with certainty; ours is MBG/NBD, whose temper is found within the
first 39 weeks.
"""

import numpy as np

from models.fitting import fit_lifetime
from models.online.tally import Tally
from models.tempering import tempered
from tests.evaluation.measure import at_least
from tests.evaluation.sets.cdnow import days

NAME = "alive"
WEEKS = 39
_WHY = (
    "BG/NBD's best is its expected number of purchases, which ranks those who bought most highest; "
    "its P(alive) ranks worse than chance"
)


def measure() -> dict:
    """Rank repurchase by each, from the same three numbers a customer."""
    bought = [[day for day, _ in one] for one in days().values()]
    cut = min(one[0] for one in bought) + WEEKS * 7
    seen = [[day for day in one if day < cut] for one in bought]
    horizon = WEEKS * 7
    again = [
        any(cut <= day < cut + horizon for day in one)
        for one, then in zip(bought, seen, strict=True)
        if then
    ]
    repeats = np.array([len(one) - 1.0 for one in seen if one])
    last = np.array([float(one[-1] - one[0]) for one in seen if one])
    age = np.array([float(cut - one[0]) for one in seen if one])

    ours = tempered(fit_lifetime(repeats, last, age), [(one, float(cut)) for one in seen if one])
    known = list(zip(repeats, last, age, strict=True))
    alive = [ours.alive(int(x), t, a) for x, t, a in known]
    buys = [1.0 - ours.silent(int(x), t, a, horizon) for x, t, a in known]
    theirs_alive, theirs_buys = _lifetimes(repeats, last, age)
    areas = {
        "mbg_alive": _auc(alive, again),
        "mbg_buys_again": _auc(buys, again),
        "recency": _auc((1.0 / (1.0 + age - last)).tolist(), again),
        "bg_alive": _auc(theirs_alive, again),
        "bg_expected_purchases": _auc(theirs_buys, again),
    }
    best = max(areas["bg_alive"], areas["bg_expected_purchases"])
    return {
        "temper": ours.temper,
        "customers": len(again),
        "bought_again": sum(again),
        "auc": areas,
        "goals": [
            at_least("alive: AUC of P(alive)", areas["mbg_alive"], areas["bg_alive"]).told(),
            at_least("alive: AUC of P(buys again), beside BG/NBD's best",
                     areas["mbg_buys_again"], best, _WHY).told(),
        ],
    }  # fmt: skip


def _lifetimes(repeats, last, age) -> tuple[list[float], list[float]]:
    from lifetimes import BetaGeoFitter

    model = BetaGeoFitter(penalizer_coef=0.0)
    model.fit(repeats, last, age)
    alive = model.conditional_probability_alive(repeats, last, age)
    bought = model.conditional_expected_number_of_purchases_up_to_time(
        WEEKS * 7, repeats, last, age
    )
    return np.asarray(alive).tolist(), np.asarray(bought).tolist()


def _auc(scores: list[float], came: list[bool]) -> float:
    """Rank by any score: its place among all stands for a probability."""
    places = np.argsort(np.argsort(scores, kind="stable"), kind="stable")
    _, first, back = np.unique(scores, return_index=True, return_inverse=True)
    del first
    tally = Tally()
    highest = back.max() + 1
    for place, label in zip(back.tolist(), came, strict=True):
        tally.update((place + 0.5) / highest, float(label))
    assert len(places) == tally.count
    area = tally.auc
    assert area is not None
    return area
