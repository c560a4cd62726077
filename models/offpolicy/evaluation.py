"""Policies judged by a log: values with intervals, what supports them, or why there are none.

The log is read twice, portion by portion: once to fit the reward model, once to sum. Memory
follows from the number of policies, arms and features, never from the log's length.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct, field

from models.offpolicy.estimators import clipped, direct, doubly_robust, importance, ips
from models.offpolicy.logged import Floats, Logged, Policy
from models.offpolicy.resampling import Resampled, interval
from models.offpolicy.rewards import RewardModel

MIN_EFFECTIVE: Final = 1_000.0  # decisions; with fewer an estimate is an accident
MIN_CUSTOMERS: Final = 100  # with fewer, drawing customers anew tells nothing of their variety
LEVEL: Final = 0.95
_OWN: Final = ("weight", "square", "ips", "dm", "dr", "cut", "ips_cut", "dr_cut", "supported")
_SHARED: Final = 2  # decisions, rewards


class Estimate(Struct, frozen=True):
    """A value a decision, and the interval that holds the true one 95 times of 100.

    No interval: the direct method, for resampling does not tell how wrong its model is.
    """

    value: float
    low: float | None = None
    high: float | None = None


class PolicyValue(Struct, frozen=True, kw_only=True):
    """What one policy would have earned a decision. Without `estimates`, `refused` says why."""

    policy: str
    effective: float  # decisions of its own that would tell as much
    supported: float  # share of what it would do that the log could do, too
    missing: dict[str, float] = field(default_factory=dict)  # arm -> share that the log never could
    clip: float  # weights of the estimates that say so are cut here
    largest: float  # weight
    estimates: dict[str, Estimate] = field(default_factory=dict)
    gain: Estimate | None = None  # over what was logged, doubly robust
    refused: str | None = None


class Report(Struct, frozen=True, kw_only=True):
    """A log and the policies judged by it."""

    decisions: int
    customers: int
    logged: Estimate | None  # what the decisions earned; None: there are none
    policies: list[PolicyValue]


def evaluate(
    read: Callable[[], Iterable[Logged]], policies: Mapping[str, Policy], arms: Sequence[str]
) -> Report:
    """Judge policies, by name, by the log that `read` gives, twice the same.

    One customer's decisions come together. `arms` names the columns. Raises ValueError when a
    portion contradicts itself.
    """
    model, decisions = _fitted(read, len(arms))
    clip = max(1.0, math.sqrt(decisions))  # Ionides 2008
    wide = _SHARED + len(policies) * len(_OWN)
    sums, customers, newest = Resampled(wide), 0, None
    missing = np.zeros((len(policies), len(arms)))
    largest = np.zeros(len(policies))
    for log in read():
        if not len(log):
            continue
        statistics = np.empty((len(log), wide))
        statistics[:, 0], statistics[:, 1] = 1.0, log.rewards
        expected = model.expected(log)
        for at, policy in enumerate(policies.values()):
            target = policy(log)
            own = slice(_SHARED + at * len(_OWN), _SHARED + (at + 1) * len(_OWN))
            statistics[:, own] = _terms(log, target, expected, clip)
            missing[at] += np.where(log.propensities > 0, 0.0, target).sum(axis=0)
            largest[at] = max(largest[at], statistics[:, own.start].max())
        sums.add(log.customers, statistics)
        customers += int((log.customers[1:] != log.customers[:-1]).sum())
        customers += newest != log.customers[0]
        newest = log.customers[-1]
    judged = [
        _judge(
            name, at, sums, customers, clip, dict(zip(arms, missing[at], strict=True)), largest[at]
        )
        for at, name in enumerate(policies)
    ]
    logged = _ratio(sums, 1, 0) if decisions else None
    return Report(decisions=decisions, customers=customers, logged=logged, policies=judged)


def _fitted(read: Callable[[], Iterable[Logged]], arms: int) -> tuple[RewardModel, int]:
    model, decisions = RewardModel(arms, 0), 0
    for log in read():
        if not decisions:
            model = RewardModel(arms, log.features.shape[1])
        decisions += len(log)
        model.add(log)
    model.fit()
    return model, decisions


def _terms(log: Logged, target: Floats, expected: Floats, clip: float) -> Floats:
    """Return the statistics of one policy, in the order of _OWN: n x their number."""
    weights = importance(log.of_chosen(target), log.taken())
    cut = clipped(weights, clip)
    dm, of_taken = direct(target, expected), log.of_chosen(expected)
    return np.column_stack(
        [
            weights,
            weights**2,
            ips(log.rewards, weights),
            dm,
            doubly_robust(log.rewards, weights, of_taken, dm),
            cut,
            ips(log.rewards, cut),
            doubly_robust(log.rewards, cut, of_taken, dm),
            np.where(log.propensities > 0, target, 0.0).sum(axis=1),
        ]
    )


def _judge(
    name: str,
    at: int,
    sums: Resampled,
    customers: int,
    clip: float,
    missing: dict[str, float],
    largest: float,
) -> PolicyValue:
    place = {own: _SHARED + at * len(_OWN) + number for number, own in enumerate(_OWN)}
    decisions, weight = sums.total[0], sums.total[place["weight"]]
    square = sums.total[place["square"]]
    effective = float(weight**2 / square) if square > 0 else 0.0
    refused = _refusal(effective, customers)
    return PolicyValue(
        policy=name,
        effective=effective,
        supported=float(sums.total[place["supported"]] / decisions) if decisions else 0.0,
        missing={arm: float(share / decisions) for arm, share in missing.items() if share > 0},
        clip=clip,
        largest=float(largest),
        estimates={} if refused else _estimates(sums, place),
        gain=None if refused else _ratio(sums, place["dr"], 0, less=1),
        refused=refused,
    )


def _refusal(effective: float, customers: int) -> str | None:
    if effective < MIN_EFFECTIVE:
        return (
            f"an effective sample of {effective:,.0f} decisions is too small to tell"
            f" (at least {MIN_EFFECTIVE:,.0f})"
        )
    if customers < MIN_CUSTOMERS:
        return f"decisions about {customers} customers tell too little (at least {MIN_CUSTOMERS})"
    return None


def _estimates(sums: Resampled, place: Mapping[str, int]) -> dict[str, Estimate]:
    return {
        "ips": _ratio(sums, place["ips"], 0),
        "snips": _ratio(sums, place["ips"], place["weight"]),
        "dm": Estimate(float(sums.total[place["dm"]] / sums.total[0])),
        "dr": _ratio(sums, place["dr"], 0),
        "ips_clipped": _ratio(sums, place["ips_cut"], 0),
        "snips_clipped": _ratio(sums, place["ips_cut"], place["cut"]),
        "dr_clipped": _ratio(sums, place["dr_cut"], 0),
    }


def _ratio(sums: Resampled, above: int, below: int, less: int | None = None) -> Estimate:
    """Return one sum over another, (`above` - `less`) / `below`, with its interval."""
    over = sums.total[above] - (0.0 if less is None else sums.total[less])
    drawn = sums.replicates[:, above] - (0.0 if less is None else sums.replicates[:, less])
    divisor = sums.replicates[:, below]
    there = divisor > 0
    low, high = interval(drawn[there] / divisor[there], LEVEL)
    return Estimate(float(over / sums.total[below]), low, high)
