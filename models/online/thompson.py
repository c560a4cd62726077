"""Thompson sampling's probabilities, computed instead of sampled.

Each arm's logit is normal, so its worth p * value - cost is a rising function of one
normal variable, and P(worth < w) is known. The chance that an arm is worth most is the
integral of its own steps times the others' P(worth < w), over the worths that the best
can have; drawing from these chances is Thompson sampling with the propensities known.
"""

from __future__ import annotations

import math
from typing import Final

from librt.vecs import vec
from mypy_extensions import i64

from models.online.scaling import sigmoid
from models.online.vectors import dot, zeros

STEPS: Final = 32  # along the worths; the chances are then exact to 0.4 %
REACH: Final = 3.0  # standard deviations within which an arm's worth is looked for
# Of a logit: beyond these p, or 1 - p, is so near to 0 that worths are no longer told apart.
LEAST: Final = -100.0
MOST: Final = 20.0
# The normal distribution's P, tabled: by index, 256 to a standard deviation, from -6 to 6.
_FINE: Final = 256.0
_EDGE: Final = 1536.0
_LAST: Final = 3072
_NORMAL: Final[vec[float]] = vec[float](
    [0.5 + 0.5 * math.erf((at - _EDGE) / _FINE / math.sqrt(2.0)) for at in range(_LAST + 1)]
)
_TINY: Final = 1e-300  # odds: their logarithm is to be finite


def propensities(
    means: list[float],
    variances: list[float],
    values: list[float],
    costs: list[float],
    floor: float,
) -> list[float]:
    """Return each arm's chance to be drawn, at least floor / arms; they sum to 1.

    By arm: mean and variance of its logit, what a conversion is worth, what the arm costs.
    """
    told = [min(MOST, max(LEAST, mean)) for mean in means]
    best = _best(told, variances, values, costs)
    even = floor / len(best)
    total = 0.0
    for chance in best:
        total += chance
    return [even + (1.0 - floor) * (chance / total) for chance in best]


def _best(
    means: list[float], variances: list[float], values: list[float], costs: list[float]
) -> list[float]:
    """Return how often each arm is worth most; the sum is near 1."""
    worths = _worths(means, variances, values, costs)
    below, all_below = zeros(STEPS + 1), vec[float]([1.0] * STEPS)
    shares: list[vec[float]] = []
    for arm in range(len(means)):
        deviation = math.sqrt(variances[arm])
        top = _below(worths, means[arm], deviation, values[arm], costs[arm], below)
        shares.append(_climb(below, top, all_below))
    return [dot(share, all_below) for share in shares]


def _worths(
    means: list[float], variances: list[float], values: list[float], costs: list[float]
) -> vec[float]:
    """Return worths from the least to the most that the best arm's may be."""
    low, high = -math.inf, -math.inf
    for arm in range(len(means)):
        reach = REACH * math.sqrt(variances[arm])
        low = max(low, values[arm] * sigmoid(means[arm] - reach) - costs[arm])
        high = max(high, values[arm] * sigmoid(means[arm] + reach) - costs[arm])
    high = max(high, low + 1e-9 * (1.0 + abs(low)))
    found = zeros(STEPS + 1)
    for step in range(i64(STEPS + 1)):
        # Finer where chances are small: there most lie.
        part = float(step) / STEPS
        found[step] = low + part * part * (high - low)
    return found


def _below(
    worths: vec[float], mean: float, deviation: float, value: float, cost: float, found: vec[float]
) -> i64:
    """Write P(the arm is worth less than each of `worths`) to `found`.

    Return the place of the first that it surely is worth less than: what comes after is left out.
    """
    normal = _NORMAL
    fine = _FINE / deviation
    shift = mean * fine - (_EDGE + 0.5)  # the half: to the nearest place
    for step in range(i64(STEPS + 1)):
        odds = worths[step] + cost
        rest = value - odds
        if odds <= 0.0:
            found[step] = normal[0]
            continue
        place = float(_LAST)
        if rest > 0.0:
            place = math.log(max(_TINY, odds / rest)) * fine - shift
        if place >= _LAST:
            found[step] = 1.0
            return step
        found[step] = normal[i64(int(max(place, 0.0)))]
    return STEPS


def _climb(below: vec[float], top: i64, all_below: vec[float]) -> vec[float]:
    """Return how much of each step is the arm's own, of what is below it.

    `all_below` is multiplied by what is; from `top` on that is all.
    """
    share = zeros(STEPS)
    before = below[0]
    for step in range(top):
        after = below[step + 1]
        middle = 0.5 * (before + after)
        share[step] = (after - before) / middle
        all_below[step] *= middle
        before = after
    return share
