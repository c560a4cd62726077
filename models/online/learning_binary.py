"""The learner of a binary model: `churn`, and `contract`.

Two things are judged: what was served when the prediction was made, which is what people
acted on; and what each candidate would say just before it learns the label, which compares
them fairly. What was said of a past while it was read in was told to nobody, by models that
had learnt as much of that past as the reading left them time for: it is judged apart, and
no drift is seen in it. Examples of another definition of the label are never learnt together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from models.online.contest import Contest
from models.online.drift import Watch, tell
from models.online.evaluation import Evaluation
from models.online.learning import Learner
from models.online.measures import LOSS, RATE
from models.online.obeying import RefusedError
from models.online.snapshots import Snapshot
from models.records import Example
from models.reports import FeatureUse, Figures, Report

SERVED, ACTED, UNTOUCHED, PAST = "served", "acted", "untouched", "past"
# Examples in a row of another definition, after which the model begins anew with that one.
REDEFINED = 100
_write = msgspec.json.Encoder().encode


class BinaryLearner(Learner):
    """Candidates and their contest, what was served, and whether it drifts."""

    def __init__(
        self, model: str, before: Snapshot | None = None, kept: Mapping[int, bytes] | None = None
    ) -> None:
        self.watch = Watch(LOSS, RATE)
        self.judged = {name: Evaluation() for name in (SERVED, ACTED, UNTOUCHED, PAST)}
        super().__init__(model, before, kept)

    def load(self, weights: dict[str, Any] | None, champion: str) -> None:
        """Go on with another state; the candidates are judged anew, what was served is not."""
        self.contest = Contest.anew(weights, champion)
        self._other = 0  # examples in a row of another definition

    @property
    def champion(self) -> str:
        """The candidate that serves."""
        return self.contest.champion

    def learnt(self) -> int:
        """Return how many examples the stable has learnt."""
        return self.contest.stable.learnt

    def learn_one(self, example: Example, features: dict[str, float], received_ms: int) -> bool:
        """Judge what was served and every candidate; learn, unless frozen or defined otherwise."""
        if not self._is_of_this_definition(example):
            return False
        self._judge(example, received_ms)
        if self.frozen:
            self.contest.judge_one(features, example.label)
            return False
        promotion = self.contest.learn_one(features, example.label, example.weight)
        if promotion is not None:
            self.note(
                "promoted",
                "rule",
                f"{promotion.after} predicts better than {promotion.before} beyond doubt",
                before=promotion.before,
                after=promotion.after,
                figures=promotion.figures,
            )
        return True

    def promote(self, candidate: str) -> tuple[str, dict[str, float]]:
        """Let a candidate serve. Raises RefusedError when there is none of that name."""
        try:
            promotion = self.contest.crown(candidate)
        except ValueError as error:
            raise RefusedError(str(error)) from error
        return promotion.before, promotion.figures

    def weights(self) -> dict[str, Any]:
        """Return the stable's state."""
        return self.contest.stable.to_state()

    def served(self) -> Raw:
        """Return the champion as scorers take it, under the model's version."""
        return Raw(_write(replace(self.contest.served(), learnt=self.version)))

    def evaluation(self) -> dict[str, Any]:
        """Return the contest, what was served, and the watch."""
        return {
            "contest": self.contest.to_state(),
            "judged": {name: one.to_state() for name, one in self.judged.items()},
            "watch": self.watch.to_state(),
            "other": self._other,
        }

    def resume_evaluation(self, before: Snapshot) -> None:
        """Go on with what `evaluation` returned."""
        state = before.evaluation
        self.contest = Contest.from_state(before.state, state["contest"])
        self.judged |= {name: Evaluation.from_state(one) for name, one in state["judged"].items()}
        self.watch.resume(state["watch"])
        self._other = state["other"]

    def figures(self) -> dict[str, Figures]:
        """Return what was served, in all and by whether anybody acted, of pasts, each candidate."""
        found = {}
        for name, one in (self.judged | self.contest.evaluations).items():
            metrics, lift = one.told()
            found[name] = Figures(metrics=metrics, calibration=one.calibration(), lift=lift)
        return found

    def described(self, report: Report) -> Report:
        """Add the race, the drift and what the served model knows of each feature."""
        race, served = self.contest.race, self.contest.served()
        return replace(
            report,
            evidence=race.evidence,
            threshold=race.threshold,
            drift=self.watch.means() if self.judged[SERVED].count else {},
            drifting=self.watch.open is not None,
            features=[
                FeatureUse(name=name, usual=mean, weight=weight)
                for name, (mean, _, weight) in sorted(served.terms.items())
            ],
        )

    def _is_of_this_definition(self, example: Example) -> bool:
        if example.horizon == self.horizon or not self.learnt():
            self.horizon, self._other = example.horizon, 0
            return True
        self._other += 1
        if self._other < REDEFINED:
            return False
        before = self.horizon
        self.load(None, "")
        self.horizon = example.horizon
        reason = f"{REDEFINED} examples in a row of another definition"
        self.note("redefined", "rule", reason, before=before, after=self.horizon)
        return True

    def _judge(self, example: Example, received_ms: int) -> None:
        if example.past:
            self.judged[PAST].update(example.probability, example.label)
            return
        loss = self.judged[SERVED].update(example.probability, example.label)
        self.judged[ACTED if example.acted else UNTOUCHED].update(
            example.probability, example.label
        )
        edge = self.watch.update((loss, float(example.label >= 0.5)))
        tell(self, edge, example, received_ms)
