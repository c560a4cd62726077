"""How a file tells arms and rewards, and the outcome of each of its rows.

Three forms: the arm that was right of all arms (--choice), a reward for each arm
(`rewards.ARM` columns), or a log of the arm taken, its reward and its propensity.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from infra.errors import UserError
from infra.evaluation.columns import Contents, told
from infra.evaluation.moments import number_of
from infra.evaluation.reading import Cells, UnusableRowError
from infra.evaluation.roles import Asked, listed, named
from infra.evaluation.table import Cell

MOST_ARMS = 200
REWARDS = "rewards."
_CHOICES = ("choice", "chosen", "brand")
_ARMS = ("arm", "action", "offer", "treatment", "segment", "item_id")
_REWARDED = ("reward", "label", "click", "converted", "conversion", "visit", "spend", "outcome")
_PROPENSITIES = ("propensity", "propensity_score", "pscore", "probability")


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
        self.eligible = asked.eligible
        self.reward: str | None = None
        self.arm: str | None = None
        self.choice: str | None = None
        self.propensity: str | None = None
        self.shares: dict[str, float] = {}
        self.rewards = [name for name in columns if name.startswith(REWARDS)]
        if self.rewards and not (asked.choice or asked.arm):
            self.arms = [name.removeprefix(REWARDS) for name in self.rewards]
            return
        self.rewards = []
        self.arm = asked.arm or (
            None if asked.choice else named(columns, _ARMS, "arm taken", notes)
        )
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
        if self.arm is not None:
            self._logged(found, asked, notes)

    def _logged(self, found: Contents, asked: Asked, notes: list[str]) -> None:
        columns = found.columns
        self.reward = asked.reward or named(columns, _REWARDED, "reward", notes, {self.arm})
        if self.reward is None:
            raise UserError("cannot tell which column is the reward", "Say it with --reward.")
        self.propensity = asked.propensity or named(columns, _PROPENSITIES, "propensity", notes)
        taken: Counter[str] = columns[self.arm or ""].values
        self.shares = {arm: count / taken.total() for arm, count in taken.items()}
        if self.propensity is None:
            notes.append(
                "no propensities: arms count as drawn by their shares, whatever the context; "
                "that holds for a randomised trial only"
            )

    @property
    def columns(self) -> set[str]:
        """The columns that hold what came of a row."""
        one = (self.arm, self.choice, self.reward, self.propensity, self.eligible)
        return {name for name in one if name is not None} | set(self.rewards)

    def __call__(self, cells: Cells) -> Outcome | None:
        """Read one row's outcome. Raises UnusableRowError."""
        eligible = self._eligible(cells)
        if self.rewards:
            rewards = {
                arm: reward
                for arm in eligible
                if (reward := number_of(cells.get(REWARDS + arm))) is not None
            }
            if len(rewards) < len(eligible):
                raise UnusableRowError("not every eligible arm has a reward")
            return Outcome(eligible, rewards)
        arm = told(cells.get(self.arm or self.choice or ""))
        if arm not in eligible:
            raise UnusableRowError(f"arm {arm!r} is none of {listed(eligible)}")
        if self.arm is None:
            return Outcome(eligible, dict.fromkeys(eligible, 0.0) | {arm: 1.0})
        reward = number_of(_plain(cells.get(self.reward or "")))
        if reward is None:
            return None
        return Outcome(eligible, {arm: reward}, arm, self._propensity(cells, arm, eligible))

    def _eligible(self, cells: Cells) -> tuple[str, ...]:
        if self.eligible is None:
            return tuple(self.arms)
        named = str(cells.get(self.eligible) or "").strip("[]").replace('"', "")
        parts = named.replace(",", "|").split("|")
        return tuple(sorted(set(map(str.strip, parts)) & set(self.arms)))

    def _propensity(self, cells: Cells, arm: str, eligible: tuple[str, ...]) -> float:
        if self.propensity is None:
            return self.shares[arm] / sum(self.shares[one] for one in eligible)
        propensity = number_of(cells.get(self.propensity))
        if propensity is None or not 0.0 < propensity <= 1.0:
            raise UnusableRowError(f"no propensity: {propensity!r} in column {self.propensity!r}")
        return propensity


def _plain(cell: Cell) -> Cell:
    """Return a reward that is written as a truth as a number."""
    words = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
    return float(cell) if isinstance(cell, bool) else words.get(str(cell).casefold(), cell)
