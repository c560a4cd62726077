"""The lifetime prior: how likely a customer is to stay silent, from three numbers.

MBG/NBD in closed form (Batislam et al. 2007; after Fader & Hardie's notes): visits
come as a Poisson process whose rate is gamma distributed, and after each visit,
the first one too, a customer may leave. Not BG/NBD: that holds every one-time
visitor for alive with certainty.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, log


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Parameters of the MBG/NBD model; `alpha` is in days."""

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, repeats: int, last: float, age: float) -> float:
        """Return P(still a customer): `repeats` visits after the first, times in days."""
        return self._alive(self._shape(repeats), repeats, last, age)

    def silent(self, repeats: int, last: float, age: float, horizon: float) -> float:
        """Return P(no visit within the next `horizon` days)."""
        until, shape = self.alpha + age, self._shape(repeats)
        some = -expm1(shape * log(until / (until + horizon)))
        silent = 1.0 - self._alive(shape, repeats, last, age) * some
        return min(1.0 - 1e-6, max(1e-6, silent))

    def _alive(self, shape: float, repeats: int, last: float, age: float) -> float:
        # The exponent is bounded, so a machine with 10^6 visits does not overflow.
        quiet = shape * log((self.alpha + age) / (self.alpha + last))
        return 1.0 / (1.0 + self.a / (self.b + repeats) * exp(min(700.0, quiet)))

    def _shape(self, repeats: int) -> float:
        return min(self.r + repeats, 1e4)


# Maximum likelihood on the first 39 weeks of the CDNOW purchases (23,570 customers,
# days with a purchase), a public record of a shop's customers from their first day.
# One for all: it ranks strangers by recency and frequency until there are labels.
DEFAULT = Lifetime(r=0.634, alpha=51.2, a=0.806, b=1.238)
