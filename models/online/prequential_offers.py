"""A bandit tried on rows in time order: on choices where every arm's reward is known, or on a log.

The policy names its propensities before it knows what came of anything, and learns a reward
when it was known. With full information the value of a decision is what its propensities expect;
from a log it is estimated (IPS, SNIPS, doubly robust with the bandit's own beliefs, which are
made before the reward is learnt), and all rows teach, whoever took the arm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush
from typing import Any, NamedTuple, Protocol

import numpy as np

from models.online.policy_sums import ONLINE, Sums
from models.online.prequential import hashed, owner

GREEDY, UNIFORM, LOGGED, FIXED = "greedy", "uniform", "logged", "fixed:"


class Choice(NamedTuple):
    """One decision to make; times ascending. `rewards` by arm, of all eligible ones or of `arm`.

    `arm` and `propensity`: what the log took, and with which chance; None, both of them: every
    reward is known.
    """

    at: float
    key: str
    features: Mapping[str, Any]
    eligible: tuple[str, ...]
    rewards: dict[str, float]
    known_at: float
    arm: str | None = None
    propensity: float | None = None


class Offered(NamedTuple):
    """What a bandit would do: each arm's propensity and believed reward."""

    chances: dict[str, float]
    beliefs: dict[str, float]
    seen: Mapping[str, Any]


class Bandit(Protocol):
    """Who decides and learns."""

    def decide_one(self, choice: Choice) -> Offered:
        """Return propensities over the eligible arms; rewards are not to be looked at."""

    def learn_one(self, offered: Offered, arm: str, reward: float) -> None:
        """Learn what an arm earned in a context that was decided in before."""


class Trial:
    """The run: choices in, values by policy out, of all rows and of those tested.

    Besides the bandit it tries always the same arm, each eligible arm alike, the arm that the
    bandit likes most, and what the log did. `arms`: every arm that will come.
    """

    def __init__(self, bandit: Bandit, arms: list[str], tested_from: int, window: int) -> None:
        self.bandit = bandit
        self.arms = arms
        self.tested_from = tested_from
        self.rows = self.learnt = 0
        self.policies = [ONLINE, GREEDY, UNIFORM, LOGGED, *(FIXED + arm for arm in arms)]
        self.first, self.tested = Sums(self.policies), Sums(self.policies)
        self.windows: list[dict[str, Any]] = []
        self._window = window
        self._logs = False  # whether any row tells only what was taken
        self._part = np.zeros(len(self.policies))
        self._part_rows = 0
        self._now = float("-inf")
        self._waiting: list[tuple[float, int, Offered, str, float]] = []

    def run(
        self,
        choices: Iterable[Choice],
        tell: Callable[[int], None] = lambda _: None,
        seen: Callable[[Choice, Offered], None] = lambda *_: None,
    ) -> None:
        """Decide and learn all rows, in order; `tell` is given how many are done, `seen` each."""
        for choice in choices:
            seen(choice, self.ask(choice))
            tell(self.rows)
        self._end_window()

    def ask(self, choice: Choice) -> Offered:
        """Learn what is known by the row's time, then decide. Raises ValueError out of order."""
        if not choice.at >= self._now:
            raise ValueError(f"row {self.rows + 1}: time {choice.at} is before {self._now}")
        self._now = choice.at
        while self._waiting and self._waiting[0][0] <= choice.at:
            _, _, offered, arm, reward = heappop(self._waiting)
            self.bandit.learn_one(offered, arm, reward)
            self.learnt += 1
        offered = self.bandit.decide_one(choice)
        key = owner(choice.key, self.rows)
        terms = self._terms(choice, offered)
        (self.tested if self.rows >= self.tested_from else self.first).add(key, terms)
        self._part += terms[::4]
        self._part_rows += 1
        taken = choice.arm
        self._logs = self._logs or taken is not None
        if taken is None:
            taken = drawn(offered.chances, key ^ self.rows)
        reward = choice.rewards.get(taken, 0.0)
        heappush(self._waiting, (choice.known_at, self.rows, offered, taken, reward))
        self.rows += 1
        if self._part_rows >= self._window:
            self._end_window()
        return offered

    def report(self) -> dict[str, Any]:
        """Return all figures, as JSON types."""
        first, whole = self.first.figures(), self.first.joined(self.tested).figures()
        unlogged = set() if self._logs else {LOGGED}
        fixed = [name for name in self.policies if name.startswith(FIXED)]
        tested = self.tested.figures()
        known = max(fixed, key=lambda name: first[name].get("value") or 0.0)
        hindsight = max(fixed, key=lambda name: tested[name].get("value") or 0.0)
        return {
            "rows": self.rows,
            "learnt": self.learnt,
            "tested_from": self.tested_from,
            "arms": self.arms,
            "whole": {name: one for name, one in whole.items() if name not in unlogged},
            "tested": {name: one for name, one in tested.items() if name not in unlogged},
            "best_fixed": known,
            "best_fixed_in_hindsight": hindsight,
            "gain": {
                over: self.tested.gain(over)
                for over in (UNIFORM, LOGGED, known, hindsight)
                if over not in unlogged
            },
            "windows": self.windows,
        }

    def _terms(self, choice: Choice, offered: Offered) -> list[float]:
        """Return dr, weight * reward, weight and weight² of each policy, flat."""
        eligible = choice.eligible
        even = 1.0 / len(eligible)
        likes = max(eligible, key=lambda arm: offered.beliefs.get(arm, 0.0))
        targets: list[Mapping[str, float]] = [
            offered.chances,
            {likes: 1.0},
            dict.fromkeys(eligible, even),
        ]
        terms: list[float] = []
        for target in targets:
            terms += self._value(choice, offered, target)
        terms += self._logged(choice, even)
        for arm in self.arms:
            target = {arm: 1.0} if arm in eligible else {}
            terms += self._value(choice, offered, target)
        return terms

    def _logged(self, choice: Choice, even: float) -> list[float]:
        """Return what the log itself earned; nothing was logged where all rewards are known."""
        if choice.arm is None:
            reward = even * sum(choice.rewards.values())
        else:
            reward = choice.rewards.get(choice.arm, 0.0)
        return [reward, reward, 1.0, 1.0]

    def _value(self, choice: Choice, offered: Offered, target: Mapping[str, float]) -> list[float]:
        if choice.propensity is None:
            reward = sum(part * choice.rewards.get(arm, 0.0) for arm, part in target.items())
            return [reward, reward, 1.0, 1.0]
        assert choice.arm is not None
        if not target:  # it may take nothing, which earns nothing: known, not estimated
            return [0.0, 0.0, 1.0, 1.0]
        reward, beliefs = choice.rewards[choice.arm], offered.beliefs
        weight = target.get(choice.arm, 0.0) / choice.propensity
        expected = sum(part * beliefs.get(arm, 0.0) for arm, part in target.items())
        # Doubly robust (Dudik, Langford & Li 2011): what is believed, its error weighed.
        robust = expected + weight * (reward - beliefs.get(choice.arm, 0.0))
        return [robust, weight * reward, weight, weight * weight]

    def _end_window(self) -> None:
        if self._part_rows:
            values = dict(zip(self.policies, (self._part / self._part_rows).tolist(), strict=True))
            first = self.rows - self._part_rows
            self.windows.append({"first": first, "rows": self._part_rows, "values": values})
        self._part, self._part_rows = np.zeros(len(self.policies)), 0


def drawn(chances: Mapping[str, float], seed: int) -> str:
    """Return the arm that follows from the seed, by the chances."""
    fraction = (hashed(str(seed)) >> 11) / (1 << 53)
    passed = 0.0
    for arm, chance in chances.items():
        passed += chance
        if fraction < passed:
            return arm
    return max(chances, key=lambda arm: chances[arm])
