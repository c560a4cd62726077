"""Profiles as of a time over HTTP: of a customer of ten thousand events, and of a usual one."""

import asyncio
import itertools
from contextlib import closing
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import quote

import orjson
import psutil

from infra.files.log import Log, Message
from models.customer import Customer, encode
from models.topics import EVENTS, PROFILES
from projections.client import connect
from projections.load import Chunk, Loader
from projections.migrate import migrate
from tests.bench import load, whole
from tests.bench.harness import PYTHON, Bench
from tests.support.log_samples import START, history, messages

NAME = "asof"
GOALS = {"of_10000_events.p50_ms": "≤ 300"}
OTHERS = 2_000  # customers of ten events each
AT = START + timedelta(days=140)  # of the 150 that the history spans
CHUNK = 20_000


class Record(NamedTuple):
    """One record of the log, as projecting reads it."""

    key: bytes
    value: bytes
    offset: int
    partition: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int = 0
    topic: str = EVENTS.name


def measure(bench: Bench) -> dict:
    """Put a log into ClickHouse, then ask one request at a time."""
    settings = bench.settings("asof", **bench.with_clickhouse())
    bench.topics(settings)
    migrate(settings)
    records = _records(bench)
    with closing(Loader(lambda: connect(settings), settings.clickhouse_database)) as loader:
        for at in range(0, len(records), CHUNK):
            some = records[at : at + CHUNK]
            loader.load([Chunk(EVENTS, 0, some[0].offset, some[-1].offset, some)])
    with connect(settings) as client:
        client.command("OPTIMIZE TABLE log FINAL")
        size = client.query(
            "SELECT sum(data_compressed_bytes) / sum(rows) FROM system.parts "
            "WHERE active AND database = currentDatabase() AND table = 'log'"
        ).first_row[0]
    customers = {one.key for one in records}
    asyncio.run(_live(settings, customers))
    usual = f"c_{1:020d}"
    server = psutil.Process(bench.clickhouse.pid)
    with bench.process(settings, *PYTHON, "projections.serve") as serve:
        whole.answers(serve, settings.serve_port, "/readyz")
        found = {}
        for name, customer in (("of_10000_events", f"c_{0:020d}"), ("of_10_events", usual)):
            _ask(settings.serve_port, customer, 2.0)
            cpu, busy = serve.cpu(), sum(server.cpu_times()[:2])
            answers = _ask(settings.serve_port, customer, bench.fewer(15, 3))
            spent = (serve.cpu() - cpu) * 1e3 / len(answers)
            served = (sum(server.cpu_times()[:2]) - busy) * 1e3 / len(answers)
            found[name] = whole.quantiles(answers.seconds) | {
                "events": orjson.loads(answers.first(200))["as_of"]["events"],
                "cpu_ms": round(spent, 1),
                "clickhouse_cpu_ms": round(served, 1),
            }
    return found | {"log_bytes_per_event": round(size, 1), "events": len(records)}


def _records(bench: Bench) -> list[Record]:
    big = history(bench.fewer(10_000, 1_000), customers=1)
    others = [
        one.model_copy(update={"customer_id": f"c_{int(one.customer_id[2:]) + 1:020d}"})
        for one in history(10 * OTHERS, customers=OTHERS, seed=2)
    ]
    return [Record(key, value, at) for at, (key, value) in enumerate(messages(big + others))]


async def _live(settings, customers: set[bytes]) -> None:
    """Let the live read model know the customers: who is unknown there is unknown."""
    async with Log(settings.kafka, settings.topic(PROFILES)) as log:
        await log.send(
            [Message(key, encode(Customer(customer_id=key.decode())), []) for key in customers]
        )


def _ask(port: int, customer: str, seconds: float) -> load.Answers:
    path = f"/v1/profiles/{customer}?at={quote(AT.isoformat())}"
    request = itertools.repeat(load.request("GET", path, whole.READING))
    answers = load.run(lambda: load.closed_loop(port, request, 1, seconds))
    answers.require(200)
    return answers
