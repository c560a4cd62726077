"""The ClickHouse tables: what one process spends on a row, and how fast it catches up."""

import asyncio
import time
from collections import defaultdict
from typing import Self

import msgspec
import psutil
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.errors import RetriableError

from infra.files.log import Log, Message
from models.customer import Customer, encode
from models.events import Wire, decode_event, encode_event, parse
from models.identity import identify
from models.react import Position, react
from models.topics import ALERTS, DECISIONS, EVENTS, PROFILES, SCORES, Topic
from projections.migrate import migrate
from projections.project import group
from projections.tables import ROUTES
from tests.bench.harness import PYTHON, Bench, Running, StalledError

NAME = "projection"
GOALS = {"cpu_us_per_row": "≤ 10"}
REPEAT = True
CHANGES = 4  # events a written profile stands for: a customer is written once a batch
PATIENCE = 120.0  # s


def measure(bench: Bench) -> dict:
    """Let it read a tenth, then give it the rest at once."""
    settings = bench.settings("projection", **bench.with_clickhouse())
    bench.topics(settings)
    migrate(settings)
    records = _records(bench, bench.fewer(40_000, 3_000))
    server = psutil.Process(bench.clickhouse.pid)
    with bench.process(settings, *PYTHON, "projections") as part, _Group(settings) as of_part:
        _send(settings, records, 0.0, 0.1)
        of_part.caught_up(part)
        cpu, busy, begun = part.cpu(), sum(server.cpu_times()[:2]), time.perf_counter()
        rows = _send(settings, records, 0.1, 1.0)
        of_part.caught_up(part)
        wall = time.perf_counter() - begun
        spent, served = part.cpu() - cpu, sum(server.cpu_times()[:2]) - busy
        memory = part.memory()
    return {
        "cpu_us_per_row": spent * 1e6 / rows,
        "clickhouse_cpu_us_per_row": served * 1e6 / rows,
        "rows_per_second": rows / wall,
        "events_per_second": len(records[EVENTS]) * 0.9 / wall,
        "rows": rows,
        "memory_mib": round(memory / 2**20),
    }


def _records(bench: Bench, number: int) -> dict[Topic, list[Message]]:
    """Return what the worker would write to the topics that are projected."""
    judge, encoded = bench.judge(), msgspec.json.Encoder().encode
    customers: dict[str, Customer] = {}
    found: dict[Topic, list[Message]] = defaultdict(list)
    for at, message in enumerate(bench.touchpoints(number)):
        wire = Wire.of(message.headers, 0, "touchpoints", 0, at)
        event = decode_event(
            encode_event(identify(parse(message.value, wire), "touchpoints/0", at))
        )
        before = customers.get(event.customer_id) or Customer(customer_id=event.customer_id)
        reaction = react(before, event, Position("events", 0, at), judge)
        customers[event.customer_id] = reaction.customer
        key = event.customer_id.encode()
        found[EVENTS].append(Message(key, encode_event(event), []))
        for topic, said in (
            (SCORES, reaction.scores),
            (DECISIONS, reaction.decisions),
            (ALERTS, reaction.alerts),
        ):
            found[topic] += [Message(key, encoded(one), []) for one in said]
        if at % CHANGES == 0:
            found[PROFILES].append(Message(key, encode(reaction.customer), []))
    return found


def _send(settings, records: dict[Topic, list[Message]], start: float, end: float) -> int:
    """Send a share of each topic's records; return how many rows they make."""

    async def send() -> int:
        rows = 0
        for topic, messages in records.items():
            some = messages[int(len(messages) * start) : int(len(messages) * end)]
            async with Log(settings.kafka, settings.topic(topic)) as log:
                await log.send(some)
            rows += sum(1 + message.value.count(b'"sku":') for message in some)
        return rows

    return asyncio.run(send())


class _Group:
    """What the projector has committed, of all that is on its topics."""

    def __init__(self, settings) -> None:
        self._group = group(settings)
        self._admin = KafkaAdminClient(bootstrap_servers=settings.kafka)
        self._spots = [
            TopicPartition(settings.topic(topic), number)
            for topic in ROUTES
            for number in range(topic.partitions or settings.partitions)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._admin.close()

    def caught_up(self, part: Running) -> None:
        """Wait until all of it is committed. Raises StalledError."""
        deadline = time.monotonic() + PATIENCE
        while self._behind():
            part.check()
            if time.monotonic() > deadline:
                raise StalledError(f"{self._behind()} records behind\n{part.tail()}")
            time.sleep(0.05)

    def _behind(self) -> int:
        ends = self._admin.list_partition_offsets(dict.fromkeys(self._spots, OffsetSpec.LATEST))
        try:
            done = self._admin.list_group_offsets({self._group: self._spots}).get(self._group, {})
        except RetriableError:  # the broker's first group is being made
            done = {}
        return sum(
            ends[spot].offset - max(done[spot].offset if spot in done else 0, 0)
            for spot in self._spots
        )
