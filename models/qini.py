"""How well scores find those whom a treatment moves: uplift curves of a randomised trial.

Nobody is seen both treated and not, so scores are judged by groups: of the share with the highest
scores, what the treated had more than the controls. By chance alone that is the share times the
average effect; what a curve has above this line, its scores know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct, field

from models.offpolicy.evaluation import Estimate
from models.offpolicy.logged import Floats
from models.offpolicy.resampling import Resampled, interval

TENTHS: Final = 10
STEPS: Final = 100  # of the curve
MIN_GROUP: Final = 100  # rows treated, and not; with fewer a curve is an accident
_LEVEL: Final = 0.95


class Uplift(Struct, frozen=True, kw_only=True):
    """One treatment against the controls; values in the outcome's unit, a row."""

    treated: int
    control: int
    effect: Estimate | None = None  # of treating everybody
    auuc: Estimate | None = None  # mean gain over all shares that could be treated, best first
    qini: Estimate | None = None  # the same, less what shares drawn by chance would gain
    tenths: list[float | None] = field(
        default_factory=list
    )  # effect by tenth of the scores, the highest first
    refused: str | None = None


class Trial:
    """Rows of a randomised trial with the scores that they had before their outcome was known."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, float, bool, float, float]] = []

    def add(self, key: int, score: float, treated: bool, outcome: float, chance: float) -> None:
        """Take in a row. `key`: a hash of whose it is; `chance`: of being where it was."""
        self._rows.append((key, score, treated, outcome, 1.0 / chance))

    def uplift(self) -> Uplift:
        """Return what the treatment did, and what the scores knew of it.

        The curve is share x (mean of the treated - mean of the controls) within the share of the
        highest scores (Gutierrez & Gerardy 2016), means weighted by 1 / chance (Hajek 1971); AUUC
        and the Qini coefficient (Radcliffe 2007) are areas under it. Intervals: rows of one key
        are drawn together (`offpolicy.resampling`).
        """
        treated = sum(row[2] for row in self._rows)
        control = len(self._rows) - treated
        if min(treated, control) < MIN_GROUP:
            return Uplift(
                treated=treated,
                control=control,
                refused=f"{treated} rows treated and {control} not are too few to tell"
                f" (at least {MIN_GROUP} of each)",
            )
        sums = self._sums()
        found = _figures(sums.total[None, :])[0]
        drawn = _figures(sums.replicates)
        effect, auuc, qini = (
            Estimate(float(found[at]), *interval(drawn[:, at], _LEVEL)) for at in range(3)
        )
        return Uplift(
            treated=treated,
            control=control,
            effect=effect,
            auuc=auuc,
            qini=qini,
            tenths=_tenths(sums.total),
        )

    def _sums(self) -> Resampled:
        """Sum, by step of the ranked rows: weight and outcome of the treated, of the controls."""
        keys = np.array([row[0] for row in self._rows], np.uint64)
        scores, treated, outcomes, weights = np.array([row[1:] for row in self._rows], float).T
        # Equal scores in an order of their own: by time they would say what time says.
        with np.errstate(over="ignore"):
            chance = keys * np.uint64(0x9E3779B97F4A7C15)
        ranked = np.lexsort((chance, -np.nan_to_num(scores)))
        both = np.array([treated, treated * outcomes, 1 - treated, (1 - treated) * outcomes])
        parts = (both * weights).T
        sums = Resampled(4 * STEPS)
        # Step by step: a row adds to four sums of its step, and to no other.
        for step, rows in enumerate(np.array_split(ranked, STEPS)):
            rows = rows[np.argsort(keys[rows], kind="stable")]
            own, place = Resampled(4), slice(4 * step, 4 * step + 4)
            own.add(keys[rows], parts[rows])
            sums.total[place], sums.replicates[:, place] = own.total, own.replicates
        return sums


def _figures(sums: Floats) -> Floats:
    """Return effect, AUUC and Qini coefficient of each row of sums."""
    reached = sums.reshape(len(sums), STEPS, 4).cumsum(axis=1)
    shares = np.arange(1, STEPS + 1) / STEPS
    curve = shares * _difference(reached)
    effect = curve[:, -1]
    auuc = np.trapezoid(np.hstack([np.zeros((len(sums), 1)), curve]), dx=1.0 / STEPS, axis=1)
    return np.column_stack([effect, auuc, auuc - effect / 2.0])


def _tenths(total: Floats) -> list[float | None]:
    parts = total.reshape(TENTHS, STEPS // TENTHS, 4).sum(axis=1)
    there = (parts[:, 0] > 0) & (parts[:, 2] > 0)
    effects: Sequence[float] = _difference(parts).tolist()
    return [effect if known else None for effect, known in zip(effects, there, strict=True)]


def _difference(sums: Floats) -> Floats:
    """Return the treated's mean outcome less the controls'; 0 where one has no rows."""
    weights, outcomes = sums[..., 0::2], sums[..., 1::2]
    there = (weights > 0).all(axis=-1)
    means = outcomes / np.where(weights > 0, weights, 1.0)
    found: Floats = np.where(there, means[..., 0] - means[..., 1], 0.0)
    return found
