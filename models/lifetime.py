"""Lifetimes in closed form: how likely a customer is to stay silent, or a contract to end.

For contacts MBG/NBD (Batislam et al. 2007; after Fader & Hardie's notes): visits come as a
Poisson process whose rate is gamma distributed, and after each visit, the first one too, a
customer may leave. Not BG/NBD: that holds every one-time visitor for alive with certainty.
Both take each rate for constant. People pause and come back, so that silence says less than
the model has it; its likelihood is taken to a power (a generalised posterior: Bissiri, Holmes &
Walker 2016; for models that do not hold: Grünwald & van Ommen 2017).
For contracts the exponential-gamma (Pareto II) model of durations (Hardie & Fader 2014).
"""

from __future__ import annotations

from math import exp, log

from msgspec import Struct

from models.outlook import MOST, STEEPEST, SURE, gap, outlook


class Lifetime(Struct, frozen=True):
    """Parameters of MBG/NBD; `alpha` is in days, `temper` what silence counts, 0 to 1."""

    r: float
    alpha: float
    a: float
    b: float
    temper: float = 1.0

    def alive(self, repeats: int, last: float, age: float) -> float:
        """Return P(still a customer): `repeats` visits after the first, times in days."""
        shape = min(self.r + repeats, MOST)
        quiet = self.temper * shape * log((self.alpha + age) / (self.alpha + last))
        return 1.0 / (1.0 + self.a / (self.b + repeats) * exp(min(quiet, STEEPEST)))

    def silent(self, repeats: int, last: float, age: float, horizon: float) -> float:
        """Return P(no visit within the next `horizon` days)."""
        return outlook(
            self.r, self.alpha, self.a, self.b, self.temper, repeats, last, age, horizon
        )[1]

    def gap(self, repeats: int, last: float) -> float:
        """Return the days expected between two visits while the customer stays."""
        return gap(self.r, self.alpha, repeats, last)


class Tenure(Struct, frozen=True):
    """Parameters of the exponential-gamma model: hazards are gamma distributed, `beta` in days."""

    s: float
    beta: float

    def ends(self, tenure: float, horizon: float) -> float:
        """Return P(a contract that has lasted `tenure` days ends within `horizon` days)."""
        stays = exp(self.s * log((self.beta + tenure) / (self.beta + tenure + horizon)))
        ends = 1.0 - stays
        return SURE if ends < SURE else 1.0 - SURE if ends > 1.0 - SURE else ends


# Maximum likelihood on the first 39 weeks of the CDNOW purchases (23,570 customers,
# days with a purchase), a public record of a shop's customers from their first day.
# One for all: it ranks strangers by recency and frequency until there are labels.
DEFAULT_LIFETIME = Lifetime(r=0.634, alpha=51.2, a=0.806, b=1.238)
# A guess, mild on purpose: one contract in forty ends in its first thirty days, one in
# seventy in the thirty after its third year. The first fit replaces it.
DEFAULT_TENURE = Tenure(s=1.3, beta=1_500.0)
