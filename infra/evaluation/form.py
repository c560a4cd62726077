"""How a file tells arms and rewards, and the outcome of each of its rows.

Three forms: the arm that was right of all arms (--choice), a reward for each arm
(`rewards.ARM` columns), or a log of the arm taken, its reward and its propensity.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.errors import UserError
from infra.evaluation.columns import Column, Contents, told
from infra.evaluation.moments import number_of
from infra.evaluation.reading import Cells, UnusableRowError
from infra.evaluation.roles import LABEL_TIMES, Asked, listed, named
from infra.evaluation.table import ELIGIBLE, Cell

MOST_ARMS = 200
REWARDS = ("rewards.", "reward.", "rewards_", "reward_")  # each with the arm behind it
_MAY = ("eligible.", "eligible_", "available.", "available_")
_CHOICES = ("choice", "chosen", "brand")
_ARMS = (
    "arm", "action", "offer", "treatment", "segment", "item_id", "chosen_arm", "arm_id",
    "action_id", "offer_id",
)  # fmt: skip
_REWARDED = ("reward", "label", "click", "converted", "conversion", "visit", "spend", "outcome")
_PROPENSITIES = (
    "propensity", "propensity_score", "pscore", "probability", "prob", "action_prob",
    "logging_propensity", "logging_probability",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of a row's rewards, by arm; `arm` and `propensity` of a log."""

    eligible: tuple[str, ...]
    rewards: dict[str, float]
    arm: str | None = None
    propensity: float | None = None


class Form:
    """How a file tells arms and rewards; reads one row's."""

    def __init__(self, found: Contents, asked: Asked, notes: list[str]) -> None:
        """Find the columns. Raises UserError when it cannot be told."""
        columns = found.columns
        self.eligible = asked.eligible or named(columns, ELIGIBLE, "eligible arms", notes)
        self.may: dict[str, str] = {}
        self.reward: str | None = None
        self.arm: str | None = None
        self.choice: str | None = None
        self.propensity: str | None = None
        self.shares: dict[str, float] = {}
        self.rewards: dict[str, str] = {}
        self.arm = asked.arm or (
            None if asked.choice else named(columns, _ARMS, "arm taken", notes)
        )
        if not (asked.choice or asked.arm):
            self.rewards = _by_arm(columns, REWARDS[: 2 if self.arm else None])
        if self.rewards:
            self.arm, self.arms = None, list(self.rewards)
            self._told(columns, notes)
            return
        if self.arm is None:
            self.choice = asked.choice or named(columns, _CHOICES, "right arm", notes)
        of = self.arm or self.choice
        if of is None:
            raise UserError(
                "cannot tell which column is the arm",
                f"Say --choice (every arm's reward is known) or --arm: {listed(columns)}.",
            )
        if columns[of].more or columns[of].classes > MOST_ARMS:
            raise UserError(f"column {of!r} has more than {MOST_ARMS} arms", "Group them first.")
        self.arms = sorted(columns[of].values)
        self._told(columns, notes)
        if self.arm is not None:
            self._logged(found, asked, notes)

    def _logged(self, found: Contents, asked: Asked, notes: list[str]) -> None:
        columns = found.columns
        self.reward = asked.reward or named(columns, _REWARDED, "reward", notes, {self.arm})
        if self.reward is None:
            raise UserError(
                "cannot tell which column is the reward",
                f"Say it with --reward: {listed(columns)}.",
            )
        self.propensity = asked.propensity or named(columns, _PROPENSITIES, "propensity", notes)
        taken: Counter[str] = columns[self.arm or ""].values
        self.shares = {arm: count / taken.total() for arm, count in taken.items()}
        if self.propensity is None:
            notes.append(
                "no propensities: arms count as drawn by their shares, whatever the context; "
                "that holds for a randomised trial only"
            )

    def _told(self, columns: Mapping[str, Column], notes: list[str]) -> None:
        """Find the columns that say of one arm each whether it may be taken."""
        if self.eligible is None:
            found = _by_arm(columns, _MAY)
            self.may = {arm: name for arm, name in found.items() if arm in self.arms}
        if self.may:
            notes.append(f"eligible arms: the columns {listed(list(self.may.values()))}")

    @property
    def columns(self) -> set[str]:
        """The columns that hold what came of a row."""
        one = (self.arm, self.choice, self.reward, self.propensity, self.eligible)
        by_arm = {*self.rewards.values(), *self.may.values()}
        return {name for name in one if name is not None} | by_arm

    def __call__(self, cells: Cells) -> Outcome | None:
        """Read one row's outcome. Raises UnusableRowError."""
        eligible = self._eligible(cells)
        if not eligible:
            raise UnusableRowError(f"no eligible arm: {cells.get(self.eligible or '')!r}")
        if self.rewards:
            return self._rewarded(cells, eligible)
        arm = told(cells.get(self.arm or self.choice or ""))
        if arm not in eligible:
            raise UnusableRowError(f"arm {arm!r} is none of those eligible: {listed(eligible)}")
        if self.arm is None:
            return Outcome(eligible, dict.fromkeys(eligible, 0.0) | {arm: 1.0})
        reward = number_of(_plain(cells.get(self.reward or "")))
        if reward is None:
            return None
        return Outcome(eligible, {arm: reward}, arm, self._propensity(cells, arm, eligible))

    def _rewarded(self, cells: Cells, eligible: tuple[str, ...]) -> Outcome:
        rewards = {
            arm: reward
            for arm in eligible
            if (reward := number_of(_plain(cells.get(self.rewards[arm])))) is not None
        }
        if not rewards or (self.eligible is not None and len(rewards) < len(eligible)):
            raise UnusableRowError("not every eligible arm has a reward")
        # Where no column says what may be taken, those with a reward could be.
        return Outcome(tuple(rewards), rewards)

    def _eligible(self, cells: Cells) -> tuple[str, ...]:
        if self.may:
            return tuple(arm for arm in self.arms if _may(cells, self.may.get(arm)))
        if self.eligible is None:
            return tuple(self.arms)
        return tuple(sorted(self._among(cells.get(self.eligible))))

    def _among(self, cell: Cell) -> set[str]:
        """Return the arms in a list: JSON, Python's, or a|b|c, a,b,c, a;b;c, a b c."""
        text, arms = str("" if cell is None else told(cell)), set(self.arms)
        if text in arms:
            return {text}
        text = text.strip("[](){}")
        for mark in ("|", ",", ";", None):
            if mark is None or mark in text:
                return {part.strip(" '\"") for part in text.split(mark)} & arms
        return set()

    def _propensity(self, cells: Cells, arm: str, eligible: tuple[str, ...]) -> float:
        if self.propensity is None:
            return self.shares[arm] / sum(self.shares[one] for one in eligible)
        propensity = number_of(cells.get(self.propensity))
        if propensity is None or not 0.0 < propensity <= 1.0:
            raise UnusableRowError(f"no propensity: {propensity!r} in column {self.propensity!r}")
        return propensity


def _by_arm(columns: Iterable[str], prefixes: Iterable[str]) -> dict[str, str]:
    """Return the columns that are named by a prefix and an arm, by arm; one alone tells nothing."""
    for prefix in prefixes:
        found = {
            name.removeprefix(prefix): name
            for name in columns
            if name.startswith(prefix) and name not in LABEL_TIMES
        }
        if len(found) > 1:
            return found
    return {}


def _may(cells: Cells, name: str | None) -> bool:
    """Return whether an arm may be taken; one without a column always may."""
    return name is None or number_of(_plain(cells.get(name))) not in (0.0, None)


def _plain(cell: Cell) -> Cell:
    """Return a reward that is written as a truth as a number."""
    words = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
    return float(cell) if isinstance(cell, bool) else words.get(str(cell).casefold(), cell)
