"""A simulation: the past in one go, then the present at a steady rate, until told to stop.

The past is sent once: a simulation that is started again on the same home goes on
with the same customers, from where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from random import Random

import msgspec
from msgspec import Struct

from infra.errors import UserError
from infra.simulator.mischief import Mischief
from infra.simulator.offers import Offers
from infra.simulator.people import Person
from infra.simulator.scene import Json, Said
from infra.simulator.send import Sender
from infra.simulator.world import DAY, World, days_since, restamped

BATCH = 500  # events of the past in one request
TICK = 0.2  # s between requests in the present


class Past(Struct, frozen=True, kw_only=True):
    """What was simulated here before: events of its history on the log, newcomers since."""

    seed: int
    customers: int
    days: int
    start_ms: int
    sent: int = 0
    met: int = 0


class Plan(Struct, frozen=True, kw_only=True):
    """What to simulate. `rate`: events a second; `seconds` of the present, None: for ever."""

    seed: int
    customers: int
    days: int
    rate: float
    seconds: float | None = None


class Progress(Struct, frozen=True, kw_only=True):
    """How far a simulation is. `share` of the past that is sent, 1 in the present."""

    share: float
    sent: int
    waits: int
    faults: dict[str, int]
    offers: int


class Simulation:
    """One run. `watch` is called about five times a second."""

    def __init__(
        self,
        plan: Plan,
        file: Path,
        sender: Sender,
        offers: Offers | None,
        watch: Callable[[Progress], None],
    ) -> None:
        self._plan = plan
        self._file = file
        self._sender = sender
        self._offers = offers
        self._watch = watch
        self._stopped = asyncio.Event()
        self._shown = 0
        self._at_ms = 0  # how far the past has been told
        self._past = self._remembered()
        past = self._past
        self._world = World(past.seed, past.customers, past.days, past.start_ms)

    def stop(self) -> None:
        """Ask for an end: what was begun is sent, nothing else."""
        self._stopped.set()

    async def run(self) -> Progress:
        """Simulate. Raises UserError when nobody takes the events."""
        await self._history()
        if not self._stopped.is_set():
            await self._live()
        return self._progress(1.0, {})

    async def _history(self) -> None:
        """Send the past, or what of it is not sent; the customers live through it anyhow."""
        past = self._past
        mischief = Mischief(past.seed)
        rest = islice(_spoilt(mischief, self._told()), past.sent, None)
        while batch := list(islice(rest, BATCH)):
            if self._stopped.is_set():
                return
            await self._sender.send(batch)
            self._remember(sent=past.sent + self._sender.sent)
            share = (self._at_ms - past.start_ms) / (past.days * DAY) + 1
            self._watch(self._progress(share, mischief.done))

    def _told(self) -> Iterator[Json]:
        for said in self._world.history():
            self._at_ms = said.at_ms
            yield said.event

    async def _live(self) -> None:
        """Send the present: as many events a second as the plan says, stamped now."""
        run = f"s{self._past.seed}-{_now_ms():x}"
        mischief = Mischief(run)
        present = self._present(run)
        begun = time.monotonic()
        drawn = 0
        while not self._stopped.is_set():
            elapsed = time.monotonic() - begun
            if self._plan.seconds is not None and elapsed >= self._plan.seconds:
                break
            due = int(elapsed * self._plan.rate) - drawn
            drawn += due
            # After a stall the world goes on from here: it does not make up for lost time.
            fresh = islice(present, min(due, int(self._plan.rate * 2) + 1))
            batch = list(mischief.spoil(restamped(said, _now_ms()) for said in fresh))
            if self._world.met > self._past.met:
                self._remember(met=self._world.met)
            if batch:
                await self._sender.send(batch)
            self._watch(self._progress(1.0, mischief.done))
            await asyncio.sleep(TICK)
        if held := mischief.rest():
            await self._sender.send(held)

    def _present(self, run: str) -> Iterator[Said]:
        """Let many customers act at once: yield an event of this one, then of that one."""
        rng = Random(f"present/{run}")  # noqa: S311  a simulation, not a secret
        at_once = max(4, int(self._plan.rate))
        people = self._world.live(run, self._past.met)
        acting: dict[int, deque[Said]] = {}
        while True:
            while len(acting) < at_once:
                one = next(people)
                if one.index not in acting and (scene := self._scene(one)):
                    acting[one.index] = deque(scene)
                elif acting and len(acting) >= self._past.customers // 2:
                    break
            index = rng.choice(list(acting))
            yield acting[index].popleft()
            if not acting[index]:
                del acting[index]

    def _scene(self, one: Person) -> list[Said]:
        offer = self._offers.take(one) if self._offers and one.known else None
        self._shown += offer is not None
        now_ms = _now_ms()
        return self._world.session(one, now_ms, days_since(one, now_ms), offer)

    def _progress(self, share: float, faults: dict[str, int]) -> Progress:
        return Progress(
            share=share,
            sent=self._sender.sent,
            waits=self._sender.waits,
            faults=dict(faults),
            offers=self._shown,
        )

    def _remembered(self) -> Past:
        plan = self._plan
        fresh = Past(seed=plan.seed, customers=plan.customers, days=plan.days, start_ms=_now_ms())
        try:
            past = msgspec.json.decode(self._file.read_bytes(), type=Past)
        except FileNotFoundError:
            return fresh
        except (OSError, msgspec.MsgspecError) as error:
            raise UserError(f"{self._file} cannot be read ({error})", "Delete it.") from error
        same = (past.seed, past.customers, past.days) == (plan.seed, plan.customers, plan.days)
        return past if same else fresh

    def _remember(self, **known: int) -> None:
        self._past = msgspec.structs.replace(self._past, **known)
        fresh = self._file.with_suffix(".new")
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(msgspec.json.encode(self._past))
        fresh.replace(self._file)


def _spoilt(mischief: Mischief, events: Iterable[Json]) -> Iterator[Json]:
    yield from mischief.spoil(events)
    yield from mischief.rest()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
