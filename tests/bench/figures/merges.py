"""A million events with over a hundred thousand merges, then a thousand unmerges: who differs?

All in this process: the core, the resolver, and own events read again as the worker reads
them. Everybody must be what the log says without any of that: a person's own events, folded
in one go, are the root's profile, and every other name points to that root.
"""

import time
from collections import defaultdict
from itertools import islice
from random import Random

from models.customer import decode
from models.errors import TouchpointRejectedError
from models.events import decode_event
from models.links import state_unmerge
from models.profile import Profile, fold_all
from models.regroup import is_direct, wanted_until
from streams.lane import Outbox, Record
from streams.lane.garbage import look_seldom
from streams.refold import Pass
from tests.bench.core import Core
from tests.bench.harness import Bench
from tests.bench.workload import SEED, stream

NAME = "merges"
GOALS = {"differ": "≤ 0", "differ_after_unmerges": "≤ 0"}
EVENTS = 1_000_000
UNMERGES = 1_000
PORTION = 10_000  # events
LIMIT = 1_500  # s
ASKED = True  # ten minutes and some GB of memory: measured when it is named, and only then


def measure(bench: Bench) -> dict:
    """Take all in, compare everybody; part a thousand members, compare everybody again."""
    number = bench.fewer(EVENTS, 20_000)
    with bench.pinned(bench.there):
        look_seldom()
        core, begun = Core(bench.judge()), time.process_time()
        messages = stream(number)
        while portion := list(islice(messages, PORTION)):
            core.process(portion)
            bench.say(f"{len(core.log):,} records, {len(core.customers):,} names")
        passes = _read_again(core)  # a device that too many share was parted by rule
        spent = time.process_time() - begun
        merged = _compared(core)
        asked = _part(core, bench.fewer(UNMERGES, 100))
        passes += _read_again(core)
        parted = _compared(core)
    return {
        "differ": merged["differ"],
        "differ_after_unmerges": parted["differ"],
        "touchpoints": number,
        "merges": merged["merges"],
        "people": merged["people"],
        "names": len(core.customers),
        "unmerges": asked,
        "people_after_unmerges": parted["people"],
        "log_records": len(core.log),
        "passes": passes,
        "cpu_us_per_event": spent * 1e6 / number,
    }


def _part(core: Core, number: int) -> int:
    """Take so many members out of their groups; return how many there were to take."""
    members = sorted(id for id, node in core.identities.items() if node.parent)
    parted = 0
    for at_ms, member in enumerate(Random(SEED).sample(members, number)):
        try:
            core.command([state_unmerge(member, "bench", "a mistake", at_ms)])
            parted += 1
        except TouchpointRejectedError:
            continue  # has become a root, or is alone, by those before
    return parted


def _read_again(core: Core) -> int:
    """Read the log for whoever waits for own events, until nobody does; return how often."""
    passes = 0
    while True:
        unread = {}
        for key, value in core.customers.items():
            until = wanted_until(decode(value).regroup)
            if until is not None:
                unread[key] = until
        if not unread:
            return passes
        going, outbox = Pass(0, unread), Outbox()
        for start in range(0, going.end, PORTION):
            values = core.log[start : min(start + PORTION, going.end)]
            going.take(
                [
                    Record(start + n, decode_event(value).customer_id.encode(), value)
                    for n, value in enumerate(values)
                ],
                outbox,
            )
        core.append(message.value for message in outbox.messages)
        passes += 1


def _compared(core: Core) -> dict[str, int]:
    """Hold every customer against the forest and the log; return how many differ."""
    own: dict[str, list[int]] = defaultdict(list)  # root -> offsets of its people's own events
    merges = 0
    for offset, value in enumerate(core.log):
        event = decode_event(value)
        merges += event.type == "customer_merged"
        if is_direct(event):
            own[_root(core, event.customer_id)].append(offset)
    customers = {key.decode(): decode(value) for key, value in core.customers.items()}
    differ = len(own.keys() - customers.keys())
    for id, customer in customers.items():
        root, said = _root(core, id), {}
        for offset in own.get(id, ()):
            event = decode_event(core.log[offset])
            said.setdefault((event.source, event.event_id), event)
        whole = customer.regroup is None and customer.profile == fold_all(Profile(), said.values())
        at = customer
        while at.merged_into is not None:
            at = customers[at.merged_into]
        differ += not (whole and at.customer_id == root)
    return {"differ": differ, "merges": merges, "people": len(own)}


def _root(core: Core, id: str) -> str:
    while (node := core.identities.get(id)) is not None and node.parent:
        id = node.parent
    return id
