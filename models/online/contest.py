"""The contest for one binary model: its candidates, how good each is, and who serves.

Each candidate predicts an example before any learns it, so all are judged with the same
freshness. The champion serves; the others have no effect until the rule of
`models.online.promotion`, or a person, puts one in its place.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from models.online.evaluation import Evaluation
from models.online.promotion import Race
from models.online.served import Served
from models.online.stable import CANDIDATES, Stable

# Who serves first: with few labels it is the prior, and it hurts nowhere.
START = "blend" if "blend" in CANDIDATES else CANDIDATES[-1]


class Promotion(NamedTuple):
    """Who took over from whom, with the figures that it was decided by."""

    before: str
    after: str
    figures: dict[str, float]


class Contest:
    """A stable with its race and each candidate's evaluation."""

    def __init__(self) -> None:
        self.stable = Stable()
        self.race = Race(START, CANDIDATES)
        self.evaluations = {name: Evaluation() for name in CANDIDATES}

    @property
    def champion(self) -> str:
        """The candidate that serves."""
        return self.race.champion

    def chances(self, x: dict[str, float]) -> dict[str, float]:
        """Return P(label is 1) by each candidate; learns nothing."""
        return self.stable.chances(x)

    def served(self) -> Served:
        """Return the champion as scorers take it."""
        return self.stable.served(self.champion)

    def learn_one(self, x: dict[str, float], label: float, weight: float = 1.0) -> Promotion | None:
        """Judge each candidate by one example, learn it, and tell if another serves from now on."""
        self._judge(self.stable.learn_one(x, label, weight), label)
        return self._promoted()

    def judge_one(self, x: dict[str, float], label: float) -> None:
        """Judge each candidate by one example; nothing is learnt, and nobody takes over."""
        self._judge(self.stable.chances(x), label)

    def crown(self, candidate: str) -> Promotion:
        """Let a candidate serve. Raises ValueError when there is none of that name."""
        if candidate not in CANDIDATES:
            raise ValueError(f"no candidate {candidate!r}; there are {', '.join(CANDIDATES)}")
        return self._crowned(candidate)

    @classmethod
    def anew(cls, state: dict[str, Any] | None, champion: str) -> Self:
        """Return a contest over a state of the stable (None: untrained), to be judged anew."""
        contest = cls()
        if state is not None:
            contest.stable = Stable.from_state(state)
        if champion in CANDIDATES:
            contest.race.crown(champion)
        return contest

    def to_state(self) -> dict[str, Any]:
        """Return how good the candidates are, as JSON types; the stable's state is apart."""
        judged = {name: one.to_state() for name, one in self.evaluations.items()}
        return {"race": self.race.to_state(), "candidates": judged}

    @classmethod
    def from_state(cls, stable: dict[str, Any], state: dict[str, Any]) -> Self:
        """Return the contest of which `to_state` and the stable's own wrote the states."""
        contest = cls()
        contest.stable = Stable.from_state(stable)
        contest.race = Race.from_state(state["race"], START, CANDIDATES)
        for name, judged in state["candidates"].items():
            if name in contest.evaluations:
                contest.evaluations[name] = Evaluation.from_state(judged)
        return contest

    def _judge(self, chances: dict[str, float], label: float) -> None:
        for name, evaluation in self.evaluations.items():
            evaluation.update(chances[name], label)
        self.race.update(chances, label)

    def _promoted(self) -> Promotion | None:
        race = self.race
        if not race.is_won():
            return None
        errors = {name: one.ece() for name, one in self.evaluations.items()}
        winner = race.winner(errors)
        return None if winner is None else self._crowned(winner)

    def _crowned(self, candidate: str) -> Promotion:
        before, race = self.champion, self.race
        figures = {"evidence": race.evidence.get(candidate, 0.0), "threshold": race.threshold}
        for name, who in (("before", before), ("after", candidate)):
            found = self.evaluations[who].metrics()
            figures |= {
                f"{measure}_{name}": found[measure]
                for measure in ("log_loss_window", "ece_window")
                if measure in found
            }
        race.crown(candidate)
        return Promotion(before, candidate, figures)
