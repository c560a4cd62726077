"""What one event costs the core when it knows ten thousand, a hundred thousand, a million.

Customers are real records of a simulated past, taken at eight ages and given other names;
the traffic is what those customers really did next, to customers drawn at random.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

import orjson
import psutil

from infra.files.log import Message
from models.events import Identifier
from models.identity import customer_id_of
from models.judge import Judge
from streams.lane.garbage import look_seldom
from tests.bench.core import Core
from tests.bench.harness import Bench
from tests.bench.report import medians

NAME = "scale"
GOALS = {"most_over_fewest": "≤ 1.15"}
SIZES = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
PAST = 8_000  # touchpoints that the customers come from
AGES = 8
TRAFFIC, WARM_UP = 20_000, 2_000
START = 10**9  # offsets of the traffic: above all that the records have seen


class Template(NamedTuple):
    """A customer at some age, and what it did next."""

    user: bytes
    key: bytes
    record: bytes
    following: dict

    def named(self, number: int) -> tuple[bytes, bytes, bytes]:
        """Return the copy of this number: its user id, its key, its record."""
        user = self.user + b"-%d" % number
        key = _key(user)
        return user, key, self.record.replace(self.key, key).replace(self.user, user)


def measure(bench: Bench) -> dict:
    """Measure all sizes in turn, the same number of passes each."""
    templates = list(made(bench.touchpoints(PAST), bench.judge()))
    sizes = {name: size // bench.fewer(1, 10) for name, size in SIZES.items()}
    _require_memory(templates, max(sizes.values()))
    everyone = dict(copied(templates, max(sizes.values())))
    keys = list(everyone)
    look_seldom()
    passes: dict[str, list[dict]] = {name: [] for name in sizes}
    for _ in range(bench.runs):
        for name, size in sizes.items():
            known = {key: everyone[key] for key in keys[:size]}
            traffic = list(events(templates, size, bench.fewer(TRAFFIC, 2_500)))
            with bench.pinned(bench.there):
                passes[name].append(one(known, traffic, bench.judge()))
            bench.say(f"{name}: {passes[name][-1]['cpu_us_per_event']:,.1f} µs")
    found: dict = {name: medians(runs) for name, runs in passes.items()}
    costs = [found[name]["cpu_us_per_event"] for name in sizes]
    return found | {
        "most_over_fewest": round(costs[-1] / costs[0], 3),
        "bytes_per_customer": round(sum(map(len, everyone.values())) / len(everyone)),
        "passes": list(passes.items()),
    }


def _require_memory(templates: list[Template], number: int) -> None:
    needed = 1.3 * number * sum(len(one.record) for one in templates) / len(templates)
    if needed > psutil.virtual_memory().available:
        raise MemoryError(f"{number:,} customers need {needed / 2**30:.0f} GiB")


def one(known: dict[bytes, bytes], traffic: list[Message], judge: Judge) -> dict:
    """Return CPU µs by step for each event of the traffic, the first ones left out."""
    core = Core(judge, known, START)
    core.process(traffic[:WARM_UP])
    core.clock.steps.clear()
    core.process(traffic[WARM_UP:])
    spent = core.clock.each(len(traffic) - WARM_UP)
    return {"cpu_us_per_event": sum(spent.values()), "steps_cpu_us_per_event": spent}


def made(past: list[Message], judge: Judge) -> Iterator[Template]:
    """Yield the known users of a past at each age, with what they did next."""
    core, stage = Core(judge), len(past) // AGES
    for age in range(AGES - 1):
        core.process(past[age * stage : (age + 1) * stage])
        following = {_user(said): said for said in map(_read, past[(age + 1) * stage :][::-1])}
        following.pop("", None)
        for user, said in following.items():
            key = _key(user.encode())
            record = core.customers.get(key)
            if record is not None and b'"merged_into"' not in record:
                yield Template(user.encode(), key, record, said)


def copied(templates: list[Template], number: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield so many customers, by key."""
    for at in range(number):
        _, key, record = templates[at % len(templates)].named(at // len(templates))
        yield key, record


def events(templates: list[Template], size: int, number: int) -> Iterator[Message]:
    """Yield touchpoints of customers drawn from the first `size` copies."""
    draw = random.Random(size)
    headers = [("format", b"native"), ("source", b"bench"), ("received_at", b"1795000000000")]
    for at in range(number):
        drawn = draw.randrange(size)
        template = templates[drawn % len(templates)]
        user = f"{template.user.decode()}-{drawn // len(templates)}"
        said = template.following | {
            "event_id": f"scale-{at}",
            "identifiers": [{"type": "user_id", "value": user}],
        }
        yield Message(f"user_id:{user}".encode(), orjson.dumps(said), headers)


def _read(message: Message) -> dict:
    return orjson.loads(message.value)


def _user(said: dict) -> str:
    named = (one["value"] for one in said["identifiers"] if one["type"] == "user_id")
    return next(named, "")


def _key(user: bytes) -> bytes:
    return customer_id_of(Identifier(type="user_id", value=user.decode())).encode()
