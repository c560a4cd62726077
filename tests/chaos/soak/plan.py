"""What is done to the workers in one run, and when: all of it follows from the seed."""

from dataclasses import dataclass
from random import Random
from typing import Literal

SESSION = 4.0  # seconds; a pause beyond it costs a worker its partitions
ACTIONS = ("kill", "pause", "stop", "interrupt", "add", "remove", "broker")
WEIGHTS = (5, 4, 3, 2, 3, 2, 1)
MOST = 4  # workers at once
Action = Literal["kill", "pause", "stop", "interrupt", "add", "remove", "broker"]


@dataclass(frozen=True)
class Step:
    """One thing that is done, `at` seconds after the stream began.

    `victim` counts among the workers that run at that time. `away` is for how many seconds
    it is gone, or stands still.
    """

    at: float
    action: Action
    victim: int
    away: float

    def __str__(self) -> str:
        return f"{self.at:4.1f} s  {self.action} #{self.victim} for {self.away:.1f} s"


@dataclass(frozen=True)
class Plan:
    """One run. `learning`: models learn meanwhile, so what they say depends on the moment."""

    seed: int
    partitions: int
    workers: int
    customers: int
    learning: bool
    tables: bool  # ClickHouse is projected to as well
    state: Literal["memory", "disk"]
    standbys: int
    seconds: float  # that the stream takes
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        kind = "learning" if self.learning else "exact"
        head = (
            f"seed {self.seed}: {self.workers} workers, {self.partitions} partitions, "
            f"{self.customers} customers, {kind}{', tables' if self.tables else ''}, "
            f"{self.state}, {self.standbys} standbys"
        )
        return "\n".join([head, *(f"  {step}" for step in self.steps)])


def plan(seed: int) -> Plan:
    """Return the run of a seed."""
    rng = Random(f"plan/{seed}")
    seconds = rng.uniform(8, 12)
    return Plan(
        seed=seed,
        partitions=rng.choice((2, 3, 4, 5)),
        workers=rng.randint(1, 3),
        customers=rng.choice((100, 200, 280)),
        learning=seed % 4 == 3,
        tables=seed % 4 == 1,
        state="disk" if seed % 3 == 0 else "memory",
        standbys=seed % 2,
        seconds=seconds,
        steps=tuple(_steps(rng, seconds)),
    )


def _steps(rng: Random, seconds: float) -> list[Step]:
    times = sorted(rng.uniform(0.5, seconds) for _ in range(rng.randint(4, 7)))
    actions = rng.choices(ACTIONS, WEIGHTS, k=len(times))
    return [
        Step(at, action, rng.randrange(MOST), _away(rng, action))
        for at, action in zip(times, actions, strict=True)
    ]


def _away(rng: Random, action: str) -> float:
    """Half of the time it is short; else it is longer than the group waits."""
    if action == "broker":
        return rng.uniform(0.0, 3.0)
    return rng.choice((rng.uniform(0.0, 1.5), rng.uniform(SESSION + 0.5, SESSION + 3)))
