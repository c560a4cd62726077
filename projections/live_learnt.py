"""What learners know of all customers together: the population, and what is bought together.

Followed from `model-snapshots`; a snapshot that is not ours is passed over, and what was
known before goes on. Baskets are learnt all the time, so they are looked at once a while.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from models import population
from models.online.affinity import AFFINITY, AffinityModel
from models.online.signing import SnapshotError
from models.online.snapshots import glance
from models.population import DEFAULT, Population

_log = logging.getLogger(__name__)
POPULATION: Final = "population"
LOOK_MS: Final = 60_000  # between two looks at the baskets
HOUR_MS: Final = 3_600_000  # what is told as of now is told as of the full hour
_state = msgspec.json.Decoder(dict[str, Any]).decode


class Known(NamedTuple):
    """By what a customer's traits are told, and as of when (ms)."""

    at_ms: int
    population: Population = DEFAULT
    affinity: AffinityModel = AffinityModel()


class Learnt:
    """The newest parameters and counts. `secret` signs what is ours; empty: nothing is read."""

    def __init__(self, secret: bytes, now_ms: Callable[[], int]) -> None:
        self.refused = 0  # snapshots that were not ours
        self._secret = secret
        self._now_ms = now_ms
        self._waiting: dict[str, bytes] = {}
        self._looked_ms = -LOOK_MS
        self._version = 0
        self._known = Known(0)

    def apply(self, records: Sequence[Any]) -> None:
        """Take in records of `model-snapshots`."""
        for record in records:
            name = (record.key or b"").decode(errors="replace")
            if name in (POPULATION, AFFINITY) and record.value and self._secret:
                self._waiting[name] = record.value

    def now(self) -> Known:
        """Return what is known, as of the full hour."""
        return self.then(self._now_ms() // HOUR_MS * HOUR_MS)

    def then(self, at_ms: int) -> Known:
        """Return what is known today, to tell a customer as of `at_ms`."""
        self._look()
        return self._known._replace(at_ms=at_ms)

    @property
    def tick(self) -> str:
        """What changes whenever `now` does."""
        self._look()
        return f"{self._now_ms() // HOUR_MS:x}.{self._version}"

    def _look(self) -> None:
        now = self._now_ms()
        if not self._waiting or now - self._looked_ms < LOOK_MS:
            return
        self._looked_ms = now
        while self._waiting:
            name, value = self._waiting.popitem()
            try:
                self._take(name, value)
            except (SnapshotError, msgspec.MsgspecError) as error:
                self.refused += 1
                _log.error("refused a snapshot of %s: %s", name, error)

    def _take(self, name: str, value: bytes) -> None:
        served = glance(value, self._secret).served
        if name == POPULATION:
            self._known = self._known._replace(population=population.decode(served))
        else:
            self._known = self._known._replace(affinity=AffinityModel.from_state(_state(served)))
        self._version += 1
