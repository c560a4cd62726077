"""How much silence counts: found by what the past would have foreseen of what came after it.

MBG/NBD takes each customer's rate for constant until he leaves. Who pauses and comes back it
holds for gone, the surer the oftener he came before. How much less silence must count cannot be
told from the likelihood that parameters are fitted by, which believes the model; it shows in
predictions (Grünwald & van Ommen 2017: the learning rate that predicts best in sequence).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from models.fitting import CannotFitError, Floats, fit_lifetime
from models.lifetime import Lifetime
from models.outlook import STEEPEST, SURE

AHEAD = 180.0  # days foreseen, at most: half of what is known, if that is less
LEAST = 0.1  # of the temper; 1 is the model itself, beyond which silence never counts

Known = tuple[Sequence[int], float]  # a customer's days, ascending, and the day seen until


def tempered(lifetime: Lifetime, customers: Iterable[Known]) -> Lifetime:
    """Return the lifetime with the temper that would have foreseen the customers' newest days.

    Parameters are fitted to the days before, as they would have been then; the temper is that
    by which they lose least (log loss of whether a customer came again). A past too short to be
    fitted tells nothing: the lifetime is returned as it is.
    """
    known = [one for one in customers if one[0]]
    if not known:
        return lifetime
    now = max(until for _, until in known)
    cut = now - min(AHEAD, (now - min(days[0] for days, _ in known)) / 2.0)
    rows = [_parted(days, until, cut) for days, until in known if days[0] < cut < until]
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    repeats, last, age, ahead, came = table.T
    try:
        then = fit_lifetime(repeats, last, age)
    except CannotFitError:
        return lifetime

    def loss(temper: float) -> float:
        silent = silences(replace(then, temper=temper), repeats, last, age, ahead)
        return -float(np.log(np.where(came > 0.0, 1.0 - silent, silent)).mean())

    found = minimize_scalar(loss, bounds=(LEAST, 1.0), method="bounded")
    return replace(lifetime, temper=float(found.x))


def silences(
    lifetime: Lifetime, repeats: Floats, last: Floats, age: Floats, horizon: Floats
) -> NDArray[np.float64]:
    """Return what `Lifetime.silent` says of each customer, all at once."""
    shape, until = lifetime.r + repeats, lifetime.alpha + age
    quiet = lifetime.temper * shape * np.log(until / (lifetime.alpha + last))
    left = lifetime.a / (lifetime.b + repeats) * np.exp(np.minimum(quiet, STEEPEST))
    silent = 1.0 + np.expm1(shape * np.log(until / (until + horizon))) / (1.0 + left)
    return np.clip(silent, SURE, 1.0 - SURE)


def _parted(
    days: Sequence[int], until: float, cut: float
) -> tuple[float, float, float, float, float]:
    """Return repeats, last and age as they were at `cut`, the days after it, and who came then."""
    seen = bisect_left(days, cut)
    first = days[0]
    return (
        seen - 1.0,
        float(days[seen - 1] - first),
        cut - first,
        until - cut,
        float(seen < len(days)),
    )
