"""The learner of `population`: parameters that a scheduled job fits and commands it to serve."""

from __future__ import annotations

from typing import Any

import msgspec

from models.online.learning import Learner
from models.online.obeying import RefusedError
from models.population import decode
from models.records import Command, Example
from models.reports import Figures

_read = msgspec.json.Decoder(dict[str, Any]).decode


class FittedLearner(Learner):
    """The newest parameters; what they were is kept, so that one can go back."""

    def load(self, weights: dict[str, Any] | None, champion: str) -> None:
        """Go on with other parameters."""
        self.parameters = weights or {}

    def learnt(self) -> int:
        """Return how many customers they were fitted to."""
        return int(self.parameters.get("customers", 0))

    def learn_one(self, example: Example, features: dict[str, float], received_ms: int) -> bool:
        """Nothing is learnt from single examples."""
        return False

    def fit(self, command: Command) -> None:
        """Take over what a job fitted. Raises RefusedError on what are no parameters."""
        if self.frozen:
            raise RefusedError("the model is frozen")
        try:
            fitted = decode(command.population)
        except msgspec.MsgspecError as error:
            raise RefusedError(f"no parameters of a population: {error}") from error
        if not fitted.customers:
            raise RefusedError("parameters that were fitted to no customer")
        if self.parameters:
            self.keep()
        self.parameters = _read(command.population)

    def weights(self) -> dict[str, Any]:
        """Return the parameters."""
        return self.parameters

    def figures(self) -> dict[str, Figures]:
        """Return nothing: parameters predict nothing by themselves."""
        return {}
