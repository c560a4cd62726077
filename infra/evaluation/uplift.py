"""A randomised trial in a file: what each arm did against the control, and who knew of whom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from infra.errors import UserError
from models.online.prequential import owner
from models.online.prequential_offers import Choice, Offered
from models.qini import Trial

_CONTROLS = ("none", "control", "no e-mail", "no email", "no offer", "holdout", "placebo")
_PAIR = ("0", "false", "no")  # of two arms


def control_of(arms: Iterable[str], asked: str | None, notes: list[str]) -> str | None:
    """Return the arm of those who were not treated; None: there is none. Raises UserError."""
    there = list(arms)
    if asked is not None:
        if asked not in there:
            raise UserError(f"no arm is called {asked!r}", f"--control is one of {there}.")
        return asked
    names = (*_CONTROLS, *(_PAIR if len(there) == 2 else ()))
    for arm in there:
        if arm.casefold() in names:
            notes.append(f"arm {arm!r} is the control; say another with --control")
            return arm
    return None


class Uplifts:
    """The rows of a trial's tested part, each with what the model believed of it beforehand."""

    def __init__(self, arms: Iterable[str], control: str, tested_from: int) -> None:
        self._control = control
        self._trials = {arm: Trial() for arm in arms if arm != control}
        self._tested_from = tested_from
        self._row = -1

    def add(self, choice: Choice, offered: Offered) -> None:
        """Take in a row, decided on before its reward was learnt."""
        self._row += 1
        if self._row < self._tested_from:
            return
        arm, chance = choice.arm, choice.propensity
        if arm is None or chance is None or self._control not in offered.beliefs:
            return
        key = owner(choice.key, self._row)
        for treatment, trial in self._trials.items():
            if arm in (treatment, self._control) and treatment in offered.beliefs:
                score = offered.beliefs[treatment] - offered.beliefs[self._control]
                treated = arm == treatment
                trial.add(key, score, treated, choice.rewards[arm], chance)

    def report(self) -> dict[str, Any]:
        """Return every arm's uplift, as JSON types."""
        found = {arm: msgspec.to_builtins(trial.uplift()) for arm, trial in self._trials.items()}
        return {"control": self._control, "arms": found}


def verdict_of_uplift(found: dict[str, Any] | None) -> list[str]:
    """Return sentences about a trial's arms."""
    if found is None:
        return []
    return [
        sentence
        for arm, told in found["arms"].items()
        for sentence in _verdict(arm, found["control"], told)
    ]


def _verdict(arm: str, control: str, told: dict[str, Any]) -> Iterable[str]:
    if told["refused"]:
        yield f"What {arm!r} does cannot be told: {told['refused']}."
        return
    effect, qini = told["effect"], told["qini"]
    yield f"{arm!r} does {_interval(effect)} a row more than {control!r}."
    if qini["low"] > 0:
        yield f"The model knows whom {arm!r} moves: Qini {_interval(qini)}."
    else:
        yield f"Whether the model knows whom {arm!r} moves cannot be told: Qini {_interval(qini)}."


def _interval(one: dict[str, float]) -> str:
    return f"{one['value']:+.4f} ({one['low']:+.4f} to {one['high']:+.4f}, 95 %)"
