"""When to fit: once there is enough to tell, then every C360_FIT_HOURS, counted over restarts.

The newest fit is known by the snapshot that its learner wrote, so there is nothing else to keep.
A past that is read in is no population yet: the first fit waits until few come new, and one
that came in the middle all the same is made anew once there are half as many customers again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event

from infra.fit import append, population, sample, standing
from infra.settings import Settings
from models.fitting import CannotFitError

FIRST_SECONDS = 60.0  # after the start, and from then on until there is enough to fit to
FITTED_SECONDS = 600.0  # until the learner must have taken a fit over, and looks at a small one
FEW = 10_000  # customers of a fit, below which all are cheaply counted again
ARRIVING = 1.1  # times the customers of the look before, beyond which the first fit waits
_HOUR_MS = 3_600_000
_log = logging.getLogger(__name__)


async def fit(settings: Settings, now_ms: int, anew: bool = False) -> population.Fitted:
    """Fit to the customers as they are now. Raises CannotFitError, KafkaError, SettingsError.

    `anew`: what models have learnt with is not held.
    """
    stands = await standing.read(settings)
    if anew:
        stands = stands._replace(learnt={})
    return population.fit(list((await sample.read(settings)).customers.values()), now_ms, stands)


class Job:
    """Looks whether a fit is due, and fits; kept is how many customers there were, no more."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopped = Event()
        self._seen: float | None = None  # customers at the look before, until the first fit

    def stop(self) -> None:
        """End `run` after what it is at."""
        self._stopped.set()

    def run(self, step: Callable[[int], float]) -> None:
        """Call `step` with the time (ms), again and again after the seconds that it returns."""
        wait = FIRST_SECONDS
        while not self._stopped.wait(wait):
            wait = step(time.time_ns() // 1_000_000)

    async def step(self, now_ms: int) -> float:
        """Fit if it is due; return the seconds until the next look."""
        stands = await standing.read(self._settings)
        if stands.frozen:
            _log.info("nothing was fitted: the population is frozen")
            return FITTED_SECONDS
        newest = stands.population
        left_ms = newest.fitted_ms + self._settings.fit_hours * _HOUR_MS - now_ms
        if left_ms > 0 and newest.customers >= FEW:
            return min(left_ms, _HOUR_MS) / 1000
        found = await sample.read(self._settings)
        if left_ms > 0 and 2 * len(found.customers) < 3 * newest.customers:
            return min(left_ms / 1000, FITTED_SECONDS)
        if not newest.fitted_ms and self._are_arriving(found):
            _log.info("the first fit waits: customers are arriving, %d so far", self._seen)
            return FIRST_SECONDS
        why = f"grown from {newest.customers} customers" if left_ms > 0 else "scheduled"
        return self._fit(found, now_ms, stands, why)

    def _fit(self, found: sample.Sample, now_ms: int, stands: standing.Standing, why: str) -> float:
        try:
            made = population.fit(list(found.customers.values()), now_ms, stands)
        except CannotFitError as error:
            _log.info("nothing was fitted: %s", error)
            return FIRST_SECONDS
        for part, reason in (made.lacks | made.held).items():
            _log.info("%s as before: %s", part, reason)
        append.append(self._settings, append.command(made.population, "fit", why))
        _log.info("fitted to %d customers: %s", made.population.customers, made.population)
        return FITTED_SECONDS

    def _are_arriving(self, found: sample.Sample) -> bool:
        """Tell whether there are many more than at the look before, or that was none."""
        before, self._seen = self._seen, len(found.customers) / found.share
        return before is None or self._seen > ARRIVING * before
