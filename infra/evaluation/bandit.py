"""A file's choices through the offer model, and what is told of it.

Three forms: the arm that was right of all arms (--choice), a reward for each arm
(`rewards.ARM` columns), or a log of the arm taken, its reward and its propensity.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from infra.errors import UserError
from infra.evaluation.columns import Contents, told
from infra.evaluation.moments import number_of
from infra.evaluation.reading import Cells, Raw, Reader, Tell, UnusableRowError, contents
from infra.evaluation.roles import Asked, check, listed, named, roles
from infra.evaluation.table import Cell, Table
from infra.evaluation.uplift import Uplifts, control_of, verdict_of_uplift
from infra.evaluation.verdict import verdict_of_offers
from models.catalogue import Policy
from models.online.encoding import Encoder
from models.online.offers import OfferModel, parts_of
from models.online.prequential_offers import Choice, Offered, Trial
from models.online.scaling import sigmoid
from models.online.thompson import propensities

MOST_ARMS = 200
LEAST = 1e-8  # variance of an arm that nothing is in doubt about
REWARDS = "rewards."
WINDOWS, WINDOW = 20, 100
_CHOICES = ("choice", "chosen", "brand")
_ARMS = ("arm", "action", "offer", "treatment", "segment", "item_id")
_REWARDED = ("reward", "label", "click", "converted", "conversion", "visit", "spend", "outcome")
_PROPENSITIES = ("propensity", "propensity_score", "pscore", "probability")


class Thompson:
    """The stream's offer model as a bandit; `stated`: what a conversion brings, before any came."""

    def __init__(self, stated: float = 1.0, policy: Policy | None = None) -> None:
        self.model = OfferModel()
        self.encoder = Encoder()
        self.stated, self.policy = stated, policy or Policy()

    def decide_one(self, choice: Choice) -> Offered:
        """Return the arms' propensities and believed rewards."""
        seen = self.encoder.encode_one(choice.features)
        arms = list(choice.eligible)
        means, variances = self.model.predict_arms(seen, arms)
        worths = np.array([self.model.margin(parts_of(arm)[0], self.stated) for arm in arms])
        policy = self.policy
        doubt = np.maximum(LEAST, policy.boldness * policy.boldness * variances)
        chances = propensities(means, doubt, worths, np.zeros(len(arms)), policy.floor)
        # The mean of a sigmoid over a normal logit (MacKay 1992).
        tempered = means / np.sqrt(1.0 + np.pi / 8.0 * variances)
        beliefs = [
            worth * sigmoid(logit)
            for worth, logit in zip(worths.tolist(), tempered.tolist(), strict=True)
        ]
        return Offered(
            dict(zip(arms, chances, strict=True)), dict(zip(arms, beliefs, strict=True)), seen
        )

    def learn_one(self, offered: Offered, arm: str, reward: float) -> None:
        """Learn whether an arm converted, and what that brought."""
        converted = reward > 0.0
        self.model.learn_one(
            dict(offered.seen),
            arm,
            float(converted),
            reward if converted else None,
            half_life=self.policy.half_life,
        )


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


def report(
    table: Table, asked: Asked, share: float, tell: Tell, *, batch: int = 0
) -> dict[str, Any]:
    """Decide and learn a file's rows in order; `share` of them come before the test.

    Returns what was found, as JSON types, by the keys that docs/models.md names. Raises
    UserError when the file cannot be used.
    """
    if batch:
        raise UserError("--compare batch is for --kind churn", "Leave it out.")
    found = contents(table, tell)
    check(found, asked)
    notes: list[str] = []
    form = Form(found, asked, notes)
    reader = Reader(table, found, roles(found, asked, form.columns, notes), form)
    total, tested_from = reader.rows, int(reader.rows * share)
    window = max(WINDOW, -(-total // WINDOWS))
    stated = _stated(reader, tested_from)
    trial = Trial(Thompson(stated), form.arms, tested_from, window)
    control = None if form.arm is None else control_of(form.arms, asked.control, notes)
    uplifts = None if control is None else Uplifts(form.arms, control, tested_from)
    seen = (lambda *_: None) if uplifts is None else uplifts.add
    trial.run(_choices(reader), lambda done: tell("deciding and learning", done, total), seen)
    role = reader.role
    result = {
        "kind": "offers",
        "file": table.path.name,
        "columns": {
            "choice": form.choice, "arm": form.arm, "reward": form.reward,
            "propensity": form.propensity, "eligible": form.eligible, "time": role.time,
            "key": role.key, "label_time": role.label_time, "delay": asked.delay,
            "features": dict(role.features), "left_out": role.left_out,
        },
        "notes": role.notes,
        "trouble": {
            "rows_left_out": reader.trouble.rows,
            "cells_emptied": reader.trouble.cells,
            "told": reader.trouble.told,
        },
        "full_information": form.arm is None,
        "conversion_worth": stated,
        "window": window,
        "uplift": None if uplifts is None else uplifts.report(),
        **trial.report(),
    }  # fmt: skip
    verdict = [*verdict_of_offers(result), *verdict_of_uplift(result["uplift"])]
    return result | {"verdict": verdict}


def _choices(reader: Reader[Outcome]) -> Any:
    for raw in reader:
        outcome = raw.outcome
        if outcome is not None:
            yield _choice(raw, outcome)


def _choice(raw: Raw[Outcome | None], outcome: Outcome) -> Choice:
    return Choice(
        raw.at, raw.key, raw.cells, outcome.eligible, outcome.rewards, raw.known_at,
        outcome.arm, outcome.propensity,
    )  # fmt: skip


def _stated(reader: Reader[Outcome], rows: int) -> float:
    """Return what a conversion brings on average in the rows before the test; 1: there is none."""
    count, total = 0, 0.0
    for place, raw in enumerate(reader):
        if place >= max(rows, WINDOW):
            break
        if raw.outcome is not None:
            brought = [reward for reward in raw.outcome.rewards.values() if reward > 0]
            count, total = count + len(brought), total + sum(brought)
    return total / count if count else 1.0
