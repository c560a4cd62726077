"""One run: workers on a real broker, a stream of touchpoints, and what the plan does to them."""

import heapq
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from infra.local.kafka import KafkaBroker
from infra.settings import Settings
from tests.chaos.soak.crew import Crew, Worker, Zygote
from tests.chaos.soak.plan import MOST, SESSION, Plan, Step
from tests.chaos.soak.sending import send
from tests.chaos.soak.settle import settle
from tests.chaos.soak.world import Message, Parting, messages
from tests.support.waiting import kill, until

START = 120.0  # seconds until the first workers must be ready


class Run:
    """What one seed does, on servers that outlive it."""

    def __init__(self, plan: Plan, settings: Settings, kafka: KafkaBroker, zygote: Zygote) -> None:
        self.plan = plan
        self.settings = settings
        self._kafka = kafka
        self._crew = Crew(settings, zygote, settings.home)
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self.done: list[str] = []

    def chaos(self) -> int:
        """Stream and do what the plan says; return how many messages were sent."""
        made = messages(self.plan.seed, self.plan.customers, time.time_ns() // 1_000_000)
        for _ in range(self.plan.workers):
            self._crew.add()
        until(self._crew.ready, START, "the workers are ready")  # who does nothing loses nothing
        with self._streaming(made) as streaming:
            begun = time.monotonic()
            for step in self.plan.steps:
                self._at(begun + step.at, lambda step=step: self._do(step))
            while streaming.is_alive() or self._later:
                self._tick()
        return len(made)

    def settle(self, done: Callable[[], bool]) -> None:
        """Wait until all is processed, then stop everybody. `done`: see `settle`."""
        settle(self.settings, self._crew, done, self._tick)

    def close(self) -> None:
        """Leave no worker behind, and the broker as it was found: the next run needs it."""
        self._crew.kill_all()
        if self._kafka.pid is None:
            self._kafka.start()

    def ended(self) -> str:
        """Say how workers ended."""
        return ", ".join(f"{name}:{code}" for name, code in self._crew.ended)

    @contextmanager
    def _streaming(self, made: list[Message | Parting]) -> Iterator[threading.Thread]:
        failed: list[BaseException] = []

        def stream() -> None:
            try:
                send(self.settings, made, self.plan.seconds)
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=stream, daemon=True)
        thread.start()
        yield thread
        thread.join()
        if failed:
            raise failed[0]

    def _tick(self) -> None:
        while self._later and self._later[0][0] <= time.monotonic():
            heapq.heappop(self._later)[2]()
        self._crew.tend()
        time.sleep(0.03)

    def _at(self, when: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._later, (when, next(self._order), do))

    def _victim(self, step: Step) -> Worker | None:
        up = self._crew.up()
        return up[step.victim % len(up)] if up else None

    def _do(self, step: Step) -> None:
        """Do one step, as far as there is somebody to do it to."""
        victim = self._victim(step)
        self.done.append(f"{step.action} {victim.name if victim else '-'}")
        match step.action:
            case "broker" if self._kafka.pid is not None:  # not while it is away already
                self._restart_broker(step.away)
            case "add" if len(self._crew.workers) < MOST:
                self._crew.add()
            case "kill" if victim:
                self._crew.kill(victim, step.away)
            case "pause" if victim:
                self._at(time.monotonic() + step.away, self._crew.pause(victim))
            case "stop" if victim:
                self._crew.stop(victim, signal.SIGTERM, step.away)
            case "interrupt" if victim:
                self._crew.stop(victim, signal.SIGINT, step.away)
            case "remove" if victim and len(self._crew.workers) > 1:
                self._crew.stop(victim, signal.SIGTERM, None)
            case _:
                self.done[-1] += " (nobody)"

    def _restart_broker(self, away: float) -> None:
        if away < SESSION / 2:
            self._kafka.stop()
        else:
            kill(self._kafka.pid)
        self._at(time.monotonic() + away, self._kafka.start)
