"""What is watched of a model: the range of a measure's values, and which changes of it matter."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

WORSE: Final = 0.1  # the log loss rose by this part of itself
SHIFTED: Final = 0.3  # the log odds of a rate moved by this


class Measure(NamedTuple):
    """One number an example, from `least` to `most`; what lies beyond is cut.

    `residual`: it is what happened less what was predicted, and is told as both.
    """

    name: str
    least: float
    most: float
    matters: Callable[[float, float], bool]  # the mean before (or predicted), and now
    residual: bool = False
    # ADWIN forgets what was before in portions, each a change of its own: they are one if no
    # more than this many values lie between two.
    calm: int = 500
    quiet: int = 2_000  # values without a further change, after which what is now is the usual


def _rose(before: float, now: float) -> bool:
    return now > before * (1.0 + WORSE)


def _moved(before: float, now: float) -> bool:
    return abs(_logit(now) - _logit(before)) >= SHIFTED


def _fell(before: float, now: float) -> bool:
    # A model that has begun to learn gets better: only that it gets worse is told.
    return _logit(before) - _logit(now) >= SHIFTED


def _logit(rate: float) -> float:
    inside = min(0.9999, max(0.0001, rate))
    return math.log(inside / (1.0 - inside))


LOSS: Final = Measure("log_loss", 0.0, 10.0, _rose)
RATE: Final = Measure("base_rate", 0.0, 1.0, _moved)
# Of a policy that learns, conversions rise by themselves; what it believed of them must not err.
REWARD: Final = Measure("reward", -1.0, 1.0, _moved, residual=True)
# One basket in twenty is guessed: waits are shorter in guesses, and long in baskets.
HITS: Final = Measure("hit_rate", 0.0, 1.0, _fell, calm=125, quiet=500)
