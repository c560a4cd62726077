"""How far each step is: what the status page says, and what the watchdog acts on.

A partition that has something to read and does not move for too long is stuck,
whatever the cause; a process that is stuck is ended, so that another goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

RATE_WINDOW = 10.0  # seconds over which a rate is told

Place = tuple[str, int]


@dataclass
class Step:
    """One agent's account. `moved` is when it last completed a batch (monotonic seconds)."""

    topic: str  # that it reads, full name
    events: int = 0
    batches: int = 0
    moved: float | None = None
    samples: deque[tuple[float, int]] = field(default_factory=deque)

    def completed(self, events: int, now: float) -> None:
        """Count one batch."""
        self.events += events
        self.batches += 1
        self.moved = now

    def sample(self, now: float) -> None:
        """Remember the count, for the rate."""
        self.samples.append((now, self.events))
        while now - self.samples[0][0] > RATE_WINDOW:
            self.samples.popleft()

    def rate(self) -> float:
        """Return events a second over the newest samples."""
        if len(self.samples) < 2:
            return 0.0
        (before, had), (now, has) = self.samples[0], self.samples[-1]
        return (has - had) / (now - before) if now > before else 0.0


class Progress:
    """Every step's account. `lag_of` answers offsets behind for a topic's partition."""

    def __init__(self) -> None:
        self.steps: dict[str, Step] = {}
        self._stood: dict[Place, tuple[int | None, float]] = {}  # position, since when

    def add(self, name: str, topic: str) -> None:
        """Begin the account of a step that reads a topic."""
        self.steps[name] = Step(topic)

    def completed(self, topic: str, events: int) -> None:
        """Count one batch of a topic."""
        for step in self.steps.values():
            if step.topic == topic:
                step.completed(events, monotonic())

    def sample(self) -> None:
        """Take the samples that rates are made of."""
        for step in self.steps.values():
            step.sample(monotonic())

    def stuck(
        self,
        lags: Mapping[Place, int | None],
        position: Callable[[Any], int | None],
        patience: float,
    ) -> Place | None:
        """Return a partition with lag whose position has not moved for `patience` seconds."""
        now = monotonic()
        stood = {}
        for place, lag in lags.items():
            at = position(place)
            known, since = self._stood.get(place, (None, now))
            stood[place] = (at, since if known == at and lag else now)
        self._stood = stood
        return next((p for p, (_, since) in stood.items() if now - since > patience), None)

    def status(self, lags: Mapping[Place, int | None]) -> dict[str, Any]:
        """Return each step's partitions, lag in offsets, count, rate and age of its progress."""
        now = monotonic()
        return {
            name: {
                "topic": step.topic,
                "partitions": sorted(number for topic, number in lags if topic == step.topic),
                "lag": sum(lag or 0 for (topic, _), lag in lags.items() if topic == step.topic),
                "events": step.events,
                "batches": step.batches,
                "events_per_second": round(step.rate(), 1),
                "progress_age_seconds": None if step.moved is None else round(now - step.moved, 3),
            }
            for name, step in self.steps.items()
        }
