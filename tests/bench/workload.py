"""The same touchpoints for every run: a simulated world's past, as they come from ingest."""

import time
from collections.abc import Iterator
from itertools import islice

import orjson

from infra.files.log import Message
from infra.simulator.world import World
from models.events import Identifier
from models.identity import primary

SEED = 360
DAYS = 120


def touchpoints(count: int) -> list[Message]:
    """Return this many messages of the `touchpoints` topic, in order of time."""
    return list(stream(count))


def stream(count: int) -> Iterator[Message]:
    """Yield them one by one: a million are too many to hold."""
    now_ms = time.time_ns() // 1_000_000
    world = World(SEED, customers=max(50, count // 28), days=DAYS, start_ms=now_ms)
    headers = [
        ("format", b"native"),
        ("source", b"bench"),
        ("received_at", str(now_ms).encode()),
    ]
    made = 0
    for said in islice(world.history(), count):
        yield Message(_key(said.event), orjson.dumps(said.event), headers)
        made += 1
    assert made == count, "the world is too small"


def _key(event: dict) -> bytes:
    return str(primary(Identifier.model_validate(one) for one in event["identifiers"])).encode()
