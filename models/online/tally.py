"""How good probabilities were, over any number of predictions in bounded memory.

Every prediction falls on a tick of the logit (TICKS over ±EDGE), and of each tick it is
counted how many came true. The area under the ROC curve is that of the ticks, pairs on
one tick counted half (0.001 logits: below 10⁻⁵ of AUC); the sums behind log loss, Brier
score and calibration are of the probabilities themselves.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

EDGE = 16.0  # logits beyond which two predictions are not told apart
TICKS = 1 << 15
BINS = 15  # of equal width, for calibration: as in `models.online.evaluation`
TENTHS = 10  # of equal size, for lift
SURE = 1e-9  # nearer to 0 or 1 no prediction is taken, so that one miss is no infinite loss


class Bin(NamedTuple):
    """Predictions between two probabilities: how many, what they said, what came true."""

    rows: int
    predicted: float
    observed: float


class Tally:
    """Log loss, Brier score, AUC, calibration and lift of probabilities against labels."""

    def __init__(self) -> None:
        self.count = 0
        self.positives = 0
        self._loss = 0.0
        self._square = 0.0
        self._ticks: NDArray[np.int64] = np.zeros((2, TICKS + 1), dtype=np.int64)
        self._bins = [[0, 0.0, 0] for _ in range(BINS)]  # count, sum of predictions, positives

    def update(self, probability: float, label: float) -> None:
        """Take in one prediction and what came true: 1 or 0."""
        came = label >= 0.5
        sure = min(1.0 - SURE, max(SURE, probability))
        self.count += 1
        self.positives += came
        self._loss -= math.log(sure if came else 1.0 - sure)
        self._square += (sure - came) ** 2
        self._ticks[int(came), _tick(sure)] += 1
        part = self._bins[min(int(sure * BINS), BINS - 1)]
        part[0] += 1
        part[1] += sure
        part[2] += came

    @property
    def auc(self) -> float | None:
        """The area under the ROC curve; None while labels are of one class only."""
        positives, negatives = self.positives, self.count - self.positives
        if not positives or not negatives:
            return None
        came_not, came = self._ticks
        below = np.cumsum(came_not) - came_not
        won = int(np.sum(came * (2 * below + came_not)))  # pairs, twice: halves are whole
        return won / (2 * positives * negatives)

    @property
    def ece(self) -> float:
        """The expected calibration error: the bins' gaps, weighted by how many are in them."""
        gaps = (abs(said - came) for _, said, came in self._bins)
        return sum(gaps) / self.count if self.count else 0.0

    @property
    def ece_by_chance(self) -> float:
        """The calibration error that a perfect model with these predictions would show by chance.

        Of each bin the mean absolute deviation of a binomial, as a normal's.
        """
        spread = sum(
            math.sqrt(said * (1.0 - said / count)) for count, said, _ in self._bins if count
        )
        return math.sqrt(2.0 / math.pi) * spread / self.count if self.count else 0.0

    def calibration(self) -> list[Bin]:
        """Return the bins that hold anything, lowest probability first."""
        return [
            Bin(int(count), said / count, came / count) for count, said, came in self._bins if count
        ]

    def lift(self) -> list[float]:
        """Return how often it came true in each tenth against all, riskiest tenth first."""
        if not self.positives:
            return []
        came = np.concatenate(([0], np.cumsum(self._ticks[1, ::-1])))
        seen = np.concatenate(([0], np.cumsum(self._ticks.sum(axis=0)[::-1])))
        # Within a tick nobody is riskier than another: its positives are spread evenly.
        cuts = np.interp(np.linspace(0, self.count, TENTHS + 1), seen, came)
        rate = self.positives / TENTHS
        return [float(step / rate) for step in np.diff(cuts)]

    def figures(self) -> dict[str, float | None]:
        """Return the figures by name; None where one is not defined."""
        if not self.count:
            return {"rows": 0}
        lift = self.lift()
        return {
            "rows": self.count,
            "base_rate": self.positives / self.count,
            "auc": self.auc,
            "log_loss": self._loss / self.count,
            "brier": self._square / self.count,
            "ece": self.ece,
            "ece_by_chance": self.ece_by_chance,
            "lift_top_tenth": lift[0] if lift else None,
        }


def _tick(probability: float) -> int:
    logit = math.log(probability / (1.0 - probability))
    return round((min(EDGE, max(-EDGE, logit)) / EDGE + 1.0) * (TICKS / 2))
