"""The judge: all that scoring and deciding need besides the customer, in one bundle.

It never changes. A newer model makes a new judge, so one reaction is made by one
set of models whatever arrives meanwhile, and the same judge always reacts the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from models.catalogue import Catalogue
from models.online.offers import OfferModel
from models.online.served import Served
from models.population import DEFAULT, Population


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Models, catalogue and horizons. Nobody calls `learn_one` on the offers' model in here."""

    churn: Served = field(default_factory=Served.untrained)  # for customers without a contract
    contract: Served = field(default_factory=Served.untrained)  # for those with one
    offers: OfferModel = field(default_factory=OfferModel)
    catalogue: Catalogue = field(default_factory=Catalogue)
    horizon_days: int = 30  # churn: no contact for this long
    contract_horizon_days: int = 30  # contract: none is left within this time
    population: Population = DEFAULT
    silent: bool = False  # says nothing: who folds for what the log alone decides asks nobody

    @classmethod
    def untrained(
        cls,
        catalogue: Catalogue | None = None,
        horizon_days: int = 30,
        contract_horizon_days: int = 30,
    ) -> Self:
        """Return a judge whose models have seen nothing: the lifetime prior scores."""
        return cls(
            catalogue=catalogue or Catalogue(),
            horizon_days=horizon_days,
            contract_horizon_days=contract_horizon_days,
        )

    @classmethod
    def mute(cls) -> Self:
        """Return a judge who says nothing: folding with it gives what the log alone decides."""
        return cls(silent=True)
