"""Horizons: what churn means, as a name that scores, examples and models carry.

"silence-30/1" is no contact of the customer's own within 30 days, "contract-30/1" that no
contract is left within 30 days; the last number is the definition's version. What counts is
changed with its version, so that no model learns labels that mean two things.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

SILENCE: Final = "silence"
CONTRACT: Final = "contract"
_VERSIONS = {SILENCE: 1, CONTRACT: 1}  # `models.rhythm.CONTACTS`; `models.contracts`
_MODELS = {SILENCE: "churn", CONTRACT: "contract"}


@lru_cache(256)
def horizon(definition: str, days: int) -> str:
    """Return the name of SILENCE or CONTRACT within so many days."""
    return f"{definition}-{days}/{_VERSIONS[definition]}"


def model_of(name: str) -> str:
    """Return the model that predicts a horizon."""
    return _MODELS[name.partition("-")[0]]
