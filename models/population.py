"""The population: what is known of all customers together, as parameters of known distributions.

Fitted by a scheduled job from a sample of customers and appended to the model log, so that
whoever replays the log scores with the same numbers. DEFAULT serves until the first fit.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct, field

from models.lifetime import DEFAULT_LIFETIME, DEFAULT_TENURE, Lifetime, Tenure


class Spend(Struct, frozen=True):
    """Parameters of the gamma-gamma model of what a purchase is worth (Fader & Hardie 2013).

    A customer's purchases are gamma distributed with shape `p` and a rate that is itself gamma
    distributed with shape `q` and rate `v`; `v` is in minor units of the currency.
    """

    p: float
    q: float
    v: float
    customers: int = 0

    def usual(self, purchases: int, mean: float) -> float:
        """Return what the customer's purchases are worth in the long run, in minor units.

        `mean` is of so many `purchases` (0: the population's own mean is returned).
        """
        return (self.v + purchases * mean) * self.p / (self.p * purchases + self.q - 1.0)


class Cuts(Struct, frozen=True):
    """Where RFM's fifths begin, four borders each, ascending; empty: nothing is known yet."""

    recency: list[float] = field(default_factory=list)  # days since the last purchase
    frequency: list[float] = field(default_factory=list)  # purchases: more than so many
    money: dict[str, list[float]] = field(default_factory=dict)  # by currency, minor units


class Population(Struct, frozen=True, kw_only=True):
    """What a fit found. `fitted_ms`: as of when (ms, UTC; 0: by nobody); of so many `customers`."""

    contacts: Lifetime = DEFAULT_LIFETIME  # of visits, which the churn model starts from
    purchases: Lifetime = DEFAULT_LIFETIME  # of days with a purchase
    contracts: Tenure = DEFAULT_TENURE  # how long contracts last
    spend: dict[str, Spend] = field(default_factory=dict)  # by currency
    cuts: Cuts = Cuts()
    fitted_ms: int = 0
    customers: int = 0


DEFAULT = Population()
_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Population)


def encode(population: Population) -> bytes:
    """Write a population as a command carries it."""
    return _encoder.encode(population)


def decode(value: bytes | Raw) -> Population:
    """Read what `encode` wrote. Raises msgspec.ValidationError on anything else."""
    return _decoder.decode(value)
