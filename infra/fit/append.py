"""The command that hands a fitted population to its learner, appended to the model log."""

from __future__ import annotations

from msgspec import Raw

from infra.model_log import append
from models.population import Population, encode
from models.records import Command

__all__ = ("MODEL", "append", "command")
MODEL = "population"


def command(population: Population, by: str, reason: str) -> Command:
    """Return the command; its id follows from the moment of the fit."""
    return Command(
        command_id=f"{MODEL}:{population.fitted_ms}",
        model=MODEL,
        action="population",
        at_ms=population.fitted_ms,
        by=by,
        reason=reason,
        population=Raw(encode(population)),
    )
