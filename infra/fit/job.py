"""When to fit: once there is enough to tell, then every C360_FIT_HOURS, counted over restarts.

The newest fit is known by the snapshot that its learner wrote, so there is nothing else to keep.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event

from infra.admin import partitions
from infra.fit import append, population, sample
from infra.settings import Settings, SettingsError
from infra.verify.log import Reading
from models.fitting import CannotFitError
from models.online.signing import SnapshotError
from models.online.snapshots import glance
from models.population import decode
from models.topics import MODEL_SNAPSHOTS

FIRST_SECONDS = 60.0  # after the start, and from then on until there is enough to fit to
FITTED_SECONDS = 600.0  # until the learner must have taken a fit over
_HOUR_MS = 3_600_000
_log = logging.getLogger(__name__)


async def fitted_ms(settings: Settings) -> int:
    """Return when the population was fitted last (ms); 0: never, as far as our learner knows."""
    key, secret = append.MODEL.encode(), settings.snapshot_secret.get_secret_value().encode()
    newest: bytes | None = None
    for number in range(partitions(MODEL_SNAPSHOTS, settings)):
        async with Reading(settings, MODEL_SNAPSHOTS, number) as reading:
            async for records in reading.upto(await reading.end()):
                for record in records:
                    if record.key == key:
                        newest = record.value
    if not newest:
        return 0
    try:
        return decode(glance(newest, secret).served).fitted_ms
    except SnapshotError as error:
        raise SettingsError(f"C360_SNAPSHOT_SECRET: {error}") from error


async def fit(settings: Settings, now_ms: int) -> population.Fitted:
    """Fit to the customers as they are now. Raises CannotFitError, KafkaError."""
    found = await sample.read(settings)
    return population.fit(list(found.customers.values()), now_ms)


class Job:
    """Looks whether a fit is due, and fits; nothing is kept between two looks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopped = Event()

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
        left_ms = await fitted_ms(self._settings) + self._settings.fit_hours * _HOUR_MS - now_ms
        if left_ms > 0:
            return min(left_ms / 1000, _HOUR_MS / 1000)
        try:
            found = await fit(self._settings, now_ms)
        except CannotFitError as error:
            _log.info("nothing was fitted: %s", error)
            return FIRST_SECONDS
        for part, why in found.lacks.items():
            _log.info("%s as before: %s", part, why)
        append.append(self._settings, append.command(found.population, "fit", "scheduled"))
        _log.info("fitted to %d customers: %s", found.population.customers, found.population)
        return FITTED_SECONDS
