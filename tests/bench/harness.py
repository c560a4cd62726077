"""What a figure is given: a broker, events, processes, cores; all of it gone at the end.

One broker serves a whole run of the benchmark; each pass has topics and a directory of
its own. Broker and harness live on the first core, what is measured on the last one.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import psutil
from kafka.admin import ConfigResource, ConfigResourceType

from infra.admin import client, create_topics
from infra.files.log import Message
from infra.local import ports, process
from infra.local.clickhouse import ClickHouseServer
from infra.local.kafka import KafkaBroker
from infra.settings import OFFERS_FILE, Settings
from models.catalogue import parse
from models.judge import Judge
from models.topics import EVENTS, PROFILES, SCORES
from tests.bench import workload

REPOSITORY = Path(__file__).parents[2]
PARTITIONS = 4
STOP_SECONDS = 20.0
T = TypeVar("T")
BROKER_TIME = {"message.timestamp.type": "LogAppendTime"}
SECRETS = {
    "clickhouse_password": "bench",
    "analyst_password": "bench",
    "write_keys": "bench=bench-write-key",
    "api_keys": "bench=bench-api-key",
    "webhook_secret": "whsec_YmVuY2gtd2ViaG9vay1zZWNyZXQtMDEyMzQ1Njc4OQ==",
    "snapshot_secret": "bench",
    "instance": "bench",
}


class StalledError(RuntimeError):
    """A run did not come to its end; the message has the end of its log."""


class WrongError(RuntimeError):
    """What came out is not what the core makes of the same events."""


class Running:
    """A process that is measured: `pid`, `log`, its CPU time and memory."""

    def __init__(self, started: subprocess.Popen[bytes], log: Path) -> None:
        self.log = log
        self._started = started
        self._process = psutil.Process(started.pid)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._started.pid

    def cpu(self) -> float:
        """Return the CPU time spent so far, all its threads, s. Raises StalledError if it ended."""
        self.check()
        times = self._process.cpu_times()
        return times.user + times.system

    def memory(self) -> int:
        """Return its resident memory, bytes."""
        return self._process.memory_info().rss

    def check(self) -> None:
        """Raise StalledError when the process has ended."""
        if self._started.poll() is not None:
            raise StalledError(f"the process ended\n{self.tail()}")

    def tail(self, lines: int = 30) -> str:
        """Return the newest lines of its log."""
        return process.tail(self.log, lines)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._started.kill()
        self._started.wait()

    def stop(self, grace: float = STOP_SECONDS) -> int:
        """SIGTERM, SIGKILL after `grace` seconds; return the exit code."""
        return process.stop(self._started, grace)


class Bench:
    """One run of the benchmark. `quick`: fewer events and one pass, to see that all works.

    `results` is where what is too long for a table is kept; None: nowhere.
    """

    def __init__(
        self,
        *,
        events: int = 40_000,
        runs: int = 3,
        quick: bool = False,
        results: Path | None = None,
    ) -> None:
        self.quick = quick
        self.results = results
        self.runs = 1 if quick else runs
        self.events = min(events, 4_000) if quick else events
        cores = sorted(os.sched_getaffinity(0))
        self.here, self.there = cores[0], cores[-1]
        self._open = ExitStack()
        self._numbers = count(1)
        self._workloads: dict[int, list[Message]] = {}
        self._known: dict[object, object] = {}

    def __enter__(self) -> Self:
        self.pin(self.here)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def fewer(self, full: int, quick: int) -> int:
        """Return a count: `full`, or `quick` for a quick run."""
        return quick if self.quick else full

    def say(self, text: str) -> None:
        """Tell who waits what is going on."""
        print(f"  {text}", flush=True)

    # places

    @cached_property
    def home(self) -> Path:
        """A directory of this run, removed at its end."""
        return Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="c360-bench-")))

    @cached_property
    def cache(self) -> Path:
        """A directory that outlives the run: environments of other frameworks, jars."""
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = root / "customer360" / "bench"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @cached_property
    def broker(self) -> KafkaBroker:
        """The run's Kafka, on the first core; started when first asked for."""
        broker = KafkaBroker(self.home / "kafka", ports.free_port(), self.say)
        self._open.callback(broker.stop)
        with self.pinned(self.here):  # its threads inherit it
            broker.start()
        return broker

    @cached_property
    def clickhouse(self) -> ClickHouseServer:
        """The run's ClickHouse, on the first core; started when first asked for."""
        server = ClickHouseServer(
            self.home / "clickhouse",
            ports.free_port(),
            ports.free_port(),
            user="c360",
            password=SECRETS["clickhouse_password"],
            analyst_password=SECRETS["analyst_password"],
        )
        self._open.callback(server.stop)
        with self.pinned(self.here):
            server.start()
        return server

    def settings(self, name: str, **over: object) -> Settings:
        """Return settings that no other pass shares: topics, directory, ports. No topic is made."""
        own = f"{name}{next(self._numbers)}"
        given: dict[str, object] = SECRETS | {
            "home": self.home / own,
            "kafka": self.broker.bootstrap,
            "topic_prefix": f"{own}.",
            "clickhouse_database": own.replace("-", "_"),
            "partitions": PARTITIONS,
            **{f"{port}_port": ports.free_port() for port in ("worker", "ingest", "serve")},
        }
        settings = Settings.model_validate(given | over)
        settings.home.mkdir(parents=True)
        return settings

    def with_clickhouse(self) -> dict[str, object]:
        """Return the settings that lead to the run's ClickHouse, to pass to `settings`."""
        return {
            "clickhouse": self.clickhouse.url,
            "clickhouse_port": self.clickhouse.http_port,
            "clickhouse_native_port": self.clickhouse.native_port,
        }

    def topics(self, settings: Settings) -> None:
        """Make the topics. What is written bears the broker's time, not the writer's own word."""
        create_topics(settings)
        stamped_by_broker(settings, [settings.topic(one) for one in (EVENTS, PROFILES, SCORES)])

    # cores

    def pin(self, core: int) -> None:
        """Keep this process, and what it starts from now on, on one core."""
        os.sched_setaffinity(0, {core})

    @contextmanager
    def pinned(self, core: int) -> Iterator[None]:
        """Keep this process on one core for a while."""
        before = os.sched_getaffinity(0)
        self.pin(core)
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)

    # work

    def touchpoints(self, number: int | None = None) -> list[Message]:
        """Return a simulated past of so many touchpoints, made once a run."""
        number = number or self.events
        if number not in self._workloads:
            self._workloads[number] = workload.touchpoints(number)
        return self._workloads[number]

    def once(self, name: object, make: Callable[[], T]) -> T:
        """Return what `make` gives, asked once a run for each name."""
        if name not in self._known:
            self._known[name] = make()
        return self._known[name]

    def judge(self) -> Judge:
        """Return the judge of a new deployment."""
        return Judge.untrained(parse(OFFERS_FILE.read_text(encoding="utf-8")))

    @contextmanager
    def process(
        self,
        settings: Settings,
        *command: str,
        core: int | str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Iterator[Running]:
        """Run a command on one core (the last one), `settings` in its environment.

        It is stopped at the end. `bench.process(settings, *PYTHON, "streams", "worker")`.
        """
        clean = {
            key: value
            for key, value in os.environ.items()
            # What is installed keeps its bytecode, and so it is started with it.
            if not key.startswith("C360_") and key != "PYTHONDONTWRITEBYTECODE"
        }
        log = settings.home / f"process-{next(self._numbers)}.log"
        started = process.spawn(
            ["taskset", "-c", str(self.there if core is None else core), *command],
            log,
            clean | settings.environ() | dict(environ or {}),
            cwd=REPOSITORY,
        )
        running = Running(started, log)
        try:
            yield running
        finally:
            running.stop()


PYTHON = (sys.executable, "-m")


def stamped_by_broker(settings: Settings, topics: Sequence[str]) -> None:
    """Let the time of each record be that of its arrival at the broker."""
    with client(settings) as admin:
        admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, one, BROKER_TIME) for one in topics]
        )
