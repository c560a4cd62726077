"""What goes wrong on the way: events twice, events late, events that make no sense.

Every fault is counted, so what was sent can be compared with what came of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from random import Random

from infra.simulator.scene import Json

TWICE = 0.004
LATE = 0.004
BAD = 0.002
_HELD = 40  # late events at once


class Mischief:
    """A line of events with faults in it. `done` counts them by kind."""

    def __init__(self, seed: int | str) -> None:
        self.done: Counter[str] = Counter()
        self._rng = Random(f"mischief/{seed}")  # noqa: S311  a simulation, not a secret
        self._held: list[Json] = []

    def spoil(self, events: Iterable[Json]) -> Iterator[Json]:
        """Yield the events, some twice, some later than others, and some that are bad."""
        for event in events:
            draw = self._rng.random()
            if draw < LATE and len(self._held) < _HELD:
                self.done["late"] += 1
                self._held.append(event)
                continue
            yield event
            if draw > 1 - TWICE:
                self.done["twice"] += 1
                yield event
            if self._rng.random() < BAD:
                self.done["bad"] += 1
                yield self._bad(event)
            if self._held and self._rng.random() < 0.02:
                yield self._held.pop(0)

    def rest(self) -> list[Json]:
        """Return what is still held back."""
        held, self._held = self._held, []
        return held

    def _bad(self, event: Json) -> Json:
        number = self.done["bad"]
        spoilt = event | {"event_id": f"bad-{event['event_id']}"}
        faults: tuple[Json, ...] = (
            {"type": "spaceship_landed"},
            {"occurred_at": "1970-01-01T00:00:00Z"},
            {"identifiers": []},
            {"channel": 7},
            {
                "type": "order_refunded",
                "order_id": "o-0",
                "amount": {"amount": "-5.00", "currency": "USD"},
            },
        )
        return spoilt | faults[number % len(faults)]
