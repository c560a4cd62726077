"""What a customer's visits say of those to come, by the MBG/NBD model in numbers alone.

`models.lifetime` tells the model, and holds its parameters.
"""

from __future__ import annotations

from math import exp, expm1, log
from typing import Final

MOST: Final = 1e4  # visits beyond which one more tells nothing
STEEPEST: Final = 700.0  # exponent, so that a machine with 10^6 visits does not overflow
SURE: Final = 1e-6  # nearer to 0 or 1 no chance is told


def outlook(
    r: float,
    alpha: float,
    a: float,
    b: float,
    temper: float,
    repeats: int,
    last: float,
    age: float,
    horizon: float,
) -> tuple[float, float]:
    """Return the log-odds of being still a customer, and P(no visit within `horizon` days).

    Of a `Lifetime`'s parameters; `repeats` visits after the first, times in days.
    """
    # No calls of `min` and `max`: once an event, they cost as much again.
    until, shape = alpha + age, r + repeats
    if shape > MOST:
        shape = MOST
    quiet = temper * shape * log(until / (alpha + last))
    if quiet > STEEPEST:
        quiet = STEEPEST
    left = a / (b + repeats)
    alive = 1.0 / (1.0 + left * exp(quiet))
    silent = 1.0 + alive * expm1(shape * log(until / (until + horizon)))
    if silent < SURE:
        silent = SURE
    elif silent > 1.0 - SURE:
        silent = 1.0 - SURE
    return -log(left) - quiet, silent


def gap(r: float, alpha: float, repeats: int, last: float) -> float:
    """Return the days expected between two visits while the customer stays, (α + t_x) / (r + x).

    The customer's own rate, shrunk to the population's.
    """
    return (alpha + last) / (r + repeats)
