"""How much better one model is than another on the same rows, and how sure that is.

Both saw the same rows, so what makes a row hard weighs on both and drops out of their
difference. Rows of one key hang together: what is summed up for the interval is a key's share,
not a row's. AUC by DeLong, DeLong & Clarke-Pearson (1988), with keys as Obuchowski (1997).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.online.prequential import CHAMPION, Row, owner
from models.online.tally import SURE

Vector = NDArray[np.float64]
_NORMAL = 1.96  # deviations within which 95 % of a normal distribution lie


class Difference(NamedTuple):
    """The first model's figure less the other's, and its 95 % interval."""

    value: float
    low: float
    high: float


def auc_difference(
    labels: Vector, ours: Vector, theirs: Vector, keys: NDArray[np.uint64]
) -> Difference | None:
    """Return by how much `ours` ranks better; None with one class, or one key, only.

    All of shape (rows,): labels 1 or 0, chances, and whose each row is.
    """
    positive = labels >= 0.5
    counts = int(positive.sum()), int((~positive).sum())
    if not min(counts):
        return None
    moves = _placements(ours, positive) - _placements(theirs, positive)
    value = float(moves[positive].mean())
    shares = np.where(positive, (moves - value) / counts[0], (moves - value) / counts[1])
    return _interval(value, shares, keys)


def log_loss_difference(
    labels: Vector, ours: Vector, theirs: Vector, keys: NDArray[np.uint64]
) -> Difference | None:
    """Return by how much `ours` loses more a row, in nats; None without two keys. As above."""
    if not len(labels):
        return None
    moves = _losses(ours, labels) - _losses(theirs, labels)
    value = float(moves.mean())
    return _interval(value, (moves - value) / len(moves), keys)


def _interval(value: float, shares: Vector, keys: NDArray[np.uint64]) -> Difference | None:
    """Return the interval of a sum of rows' shares, which go together within a key."""
    _, places = np.unique(keys, return_inverse=True)
    sums = np.bincount(places, weights=shares)
    if len(sums) < 2:
        return None
    variance = float(np.square(sums).sum()) * len(sums) / (len(sums) - 1)
    reach = _NORMAL * math.sqrt(variance)
    return Difference(value, value - reach, value + reach)


def _placements(chances: Vector, positive: NDArray[np.bool_]) -> Vector:
    """Return for each row the share of the other class that it is on the right side of.

    A tie counts half.
    """
    found = np.empty(len(chances))
    for mine, sign in ((positive, 1.0), (~positive, -1.0)):
        others = np.sort(sign * chances[~mine])
        asked = sign * chances[mine]
        below = np.searchsorted(others, asked, "left") + np.searchsorted(others, asked, "right")
        found[mine] = below / (2.0 * len(others))
    return found


def _losses(chances: Vector, labels: Vector) -> Vector:
    held = np.clip(chances, SURE, 1.0 - SURE)
    return -np.log(np.where(labels >= 0.5, held, 1.0 - held))


class Served:
    """What was served of tested rows whose label is known, for comparison; 24 bytes a row."""

    def __init__(self, tested_from: int) -> None:
        self._tested_from, self._rows = tested_from, 0
        self._labels, self._chances, self._keys = array("d"), array("d"), array("Q")

    def add(self, row: Row, chances: Mapping[str, float]) -> None:
        """Take in the next row; one without a key goes with no other."""
        self._rows += 1
        if self._rows <= self._tested_from or row.label is None:
            return
        self._labels.append(row.label)
        self._chances.append(chances[CHAMPION])
        self._keys.append(owner(row.key, self._rows))

    def against(self, chances: array[float]) -> dict[str, Any]:
        """Return `auc` and `log_loss`, what was served less `chances` of the same rows, and `keys`.

        A difference is None where it cannot be told; `keys` counts them. Raises ValueError when
        there are not as many chances as rows.
        """
        if len(chances) != len(self._labels):
            raise ValueError(f"{len(chances)} chances of {len(self._labels)} rows")
        keys = np.array(self._keys)
        given = np.array(self._labels), np.array(self._chances), np.array(chances), keys
        auc, log_loss = auc_difference(*given), log_loss_difference(*given)
        return {
            "auc": auc._asdict() if auc else None,
            "log_loss": log_loss._asdict() if log_loss else None,
            "keys": len(np.unique(keys)),
        }
