"""What customers do in one run: a simulated past, with what goes wrong on the way.

Some events come twice, some late, some are no events at all.
"""

import json
from collections.abc import Iterator
from itertools import islice
from random import Random

from infra.simulator.world import World
from models.events import Identifier
from models.identity import primary

MOST = 3_000
DAYS = 60
TWICE, LATE, BAD = 0.03, 0.03, 0.02
GARBAGE = (b"", b"{", b'{"type": "order_placed", "total": ', b"\xff\xfe", b"[]", b"null")
Message = tuple[bytes, bytes]


def touchpoints(seed: int, customers: int, now_ms: int) -> list[Message]:
    """Return key and value of each message, in the order in which they are sent."""
    world = World(seed, customers=customers, days=DAYS, start_ms=now_ms)
    sent = [said.event for said in islice(world.history(), MOST)]
    return list(_spoilt(sent, Random(f"chaos/{seed}")))


def _spoilt(events: list[dict], rng: Random) -> Iterator[Message]:
    late: list[dict] = []
    for event in events:
        if rng.random() < LATE:
            late.append(event)
            continue
        yield _message(event)
        if rng.random() < TWICE:
            yield _message(event)
        if rng.random() < BAD:
            yield _message(event)[0], rng.choice(GARBAGE)
        if rng.random() < BAD:
            yield _message(event | {"event_id": f"bad-{event['event_id']}", "channel": 7})
        if late and rng.random() < LATE:
            yield _message(late.pop(rng.randrange(len(late))))
    for event in late:
        yield _message(event)


def _message(event: dict) -> Message:
    name = primary(Identifier.model_validate(one) for one in event["identifiers"])
    return str(name).encode(), json.dumps(event).encode()
