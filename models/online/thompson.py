"""Thompson sampling's probabilities, computed instead of sampled.

Each arm's logit is normal, so its worth p * value - cost is a rising function of one
normal variable, and P(worth < w) is known. The chance that an arm is worth most is the
integral of its own steps times the others' P(worth < w), over the worths that the best
can have; drawing from these chances is Thompson sampling with the propensities known.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS = 32  # along the worths; the chances are then exact to 0.4 %
REACH = 3.0  # standard deviations within which an arm's worth is looked for
_RAMP = np.linspace(0.0, 1.0, STEPS + 1) ** 2  # finer where chances are small: there most lie
_ENDS = np.array([[REACH], [-REACH]])  # of minus the logit
# The normal distribution's P, tabled: by index, 256 to a standard deviation, from -6 to 6.
_FINE, _EDGE = 256.0, 6 * 256
_NORMAL = np.array(
    [0.5 + 0.5 * math.erf((at - _EDGE) / _FINE / math.sqrt(2.0)) for at in range(2 * _EDGE + 1)]
)
# Instead of zero. A worth that is reached neither way is taken for not reached.
_NOTHING, _LESS = 1e-150, 1e-300
_EIGHTH = math.pi / 8.0


def propensities(
    means: Floats, variances: Floats, values: Floats, costs: Floats, floor: float
) -> list[float]:
    """Return each arm's chance to be drawn, at least floor / arms; they sum to 1.

    By arm: mean and variance of its logit, what a conversion is worth, what the arm costs.
    """
    best = _best(means, np.sqrt(variances), values, costs).tolist()
    even = floor / len(best)
    total = sum(best)
    return [even + (1.0 - floor) * (chance / total) for chance in best]


def conversions(means: Floats, variances: Floats) -> list[float]:
    """Return P(conversion) of each arm, its doubt averaged over (MacKay's approximation, 1992)."""
    found: list[float] = (
        1.0 / (1.0 + np.exp(-means / np.sqrt(1.0 + _EIGHTH * variances)))
    ).tolist()
    return found


def _best(means: Floats, deviations: Floats, values: Floats, costs: Floats) -> Floats:
    """Return how often each arm is worth most; the sum is near 1."""
    low, high = _span(means, deviations, values, costs)
    below = _below(_RAMP * (high - low) + low, means, deviations, values, costs)
    before, after = below[:, :-1], below[:, 1:]
    middle = before + after  # twice the mean over the step: the twos cancel out
    middle += _LESS
    steps = after - before
    steps /= middle
    steps *= np.multiply.reduce(middle, axis=0)
    best: Floats = np.add.reduce(steps, axis=1)
    return best


def _span(means: Floats, deviations: Floats, values: Floats, costs: Floats) -> tuple[float, float]:
    """Return the worths between which the best arm's lies."""
    worths = values / (1.0 + np.exp(_ENDS * deviations - means)) - costs
    low, high = np.maximum.reduce(worths, axis=1).tolist()
    return low, max(high, low + 1e-9 * (1.0 + abs(low)))


def _below(
    worths: Floats, means: Floats, deviations: Floats, values: Floats, costs: Floats
) -> Floats:
    """Return P(worth less than each of `worths`), arms by worths."""
    # In place from here on: a new array for each step would cost as much again.
    odds = worths + costs[:, None]
    rest = values[:, None] - odds
    np.maximum(odds, _LESS, out=odds)
    odds /= np.maximum(rest, _NOTHING, out=rest)
    logits = np.log(odds, out=odds)
    fine = (_FINE / deviations)[:, None]
    logits *= fine
    logits -= means[:, None] * fine - (_EDGE + 0.5)
    return _NORMAL.take(logits.astype(np.intp), mode="clip")
