"""What one event costs the core when it knows ten thousand, a hundred thousand, a million.

Customers are real records of a simulated past, taken at eight ages and given other names;
the traffic is what such customers really did next. `random`: each event is of a customer
drawn at random, its next. `visits`: some hundreds are here at a time, each for some events.
"""

import random
from collections import Counter
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
GOALS = {"random.most_over_fewest": "≤ 1.15", "visits.most_over_fewest": "≤ 1.15"}
SIZES = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
PAST = 8_000  # touchpoints that the customers come from
AGES = 8
TRAFFIC, WARM_UP = 12_000, 2_000
VISIT = 6  # touchpoints at most
HERE = 500  # visitors at a time
START = 10**9  # offsets of the traffic: above all that the records have seen


class Template(NamedTuple):
    """A customer at some age, and what it did next."""

    user: bytes
    key: bytes
    record: bytes
    following: list[dict]

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
    passes: dict[str, list[dict]] = {}
    for _ in range(bench.runs):
        for shape, draw in (("random", at_random), ("visits", in_visits)):
            for name, size in sizes.items():
                known = {key: everyone[key] for key in keys[:size]}
                drawn = draw(templates, size, bench.fewer(TRAFFIC, 2_500))
                traffic = list(events(templates, drawn))
                with bench.pinned(bench.there):
                    found = one(known, traffic, bench.judge())
                passes.setdefault(f"{shape} {name}", []).append(found)
                bench.say(f"{shape}, {name}: {found['cpu_us_per_event']:,.1f} µs")
    size = sum(map(len, everyone.values())) / len(everyone)
    shapes = {shape: compared(passes, shape) for shape in ("random", "visits")}
    return shapes | {"bytes_per_customer": round(size), "passes": list(passes.items())}


def compared(passes: dict[str, list[dict]], shape: str) -> dict:
    """Return one shape's medians by size, and what most customers cost over fewest."""
    found: dict = {name: medians(passes[f"{shape} {name}"]) for name in SIZES}
    fewest, *_, most = found.values()
    return found | {
        "most_over_fewest": round(most["cpu_us_per_event"] / fewest["cpu_us_per_event"], 3),
        "most_over_fewest_unlearnt": round(_unlearnt(most) / _unlearnt(fewest), 3),
    }


def _unlearnt(cost: dict) -> float:
    return cost["cpu_us_per_event"] - cost["steps_cpu_us_per_event"]["learn"]


def _require_memory(templates: list[Template], number: int) -> None:
    needed = 1.3 * number * sum(len(one.record) for one in templates) / len(templates)
    if needed > psutil.virtual_memory().available:
        raise MemoryError(f"{number:,} customers need {needed / 2**30:.0f} GiB")


def one(known: dict[bytes, bytes], traffic: list[Message], judge: Judge) -> dict:
    """Return CPU µs by step for each event of the traffic, the first ones left out.

    What they bring to learn from is told beside it: it is not the same at every size.
    """
    core = Core(judge, known, START)
    core.process(traffic[:WARM_UP])
    core.clock.steps.clear()
    learnt, number = core.examples(), len(traffic) - WARM_UP
    core.process(traffic[WARM_UP:])
    spent = core.clock.each(number)
    return {
        "cpu_us_per_event": sum(spent.values()),
        "examples_per_event": (core.examples() - learnt) / number,
        "steps_cpu_us_per_event": spent,
    }


def made(past: list[Message], judge: Judge) -> Iterator[Template]:
    """Yield the known users of a past at each age, with what they did next."""
    core, stage = Core(judge), len(past) // AGES
    for age in range(AGES - 1):
        core.process(past[age * stage : (age + 1) * stage])
        following: dict[str, list[dict]] = {}
        for said in map(_read, past[(age + 1) * stage :]):
            following.setdefault(_user(said), []).append(said)
        following.pop("", None)
        for user, all_said in following.items():
            key = _key(user.encode())
            record = core.customers.get(key)
            if record is not None and b'"merged_into"' not in record:
                yield Template(user.encode(), key, record, all_said[:VISIT])


def copied(templates: list[Template], number: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield so many customers, by key."""
    for at in range(number):  # by its own number: one user may be a template at several ages
        _, key, record = templates[at % len(templates)].named(at)
        yield key, record


Drawn = tuple[int, int]  # a customer's number, and which of its touchpoints


def at_random(templates: list[Template], size: int, number: int) -> Iterator[Drawn]:
    """Yield the next touchpoint of customers drawn from the first `size`.

    Who is drawn again goes on; who has nothing more to do is not drawn any more. Raises
    IndexError when nobody has.
    """
    draw, done, busy = random.Random(size), Counter[int](), list(range(size))
    for _ in range(number):
        place = draw.randrange(max(len(busy), 1))
        customer = busy[place]
        yield customer, done[customer]
        done[customer] += 1
        if done[customer] == len(templates[customer % len(templates)].following):
            busy[place] = busy[-1]
            busy.pop()


def in_visits(templates: list[Template], size: int, number: int) -> Iterator[Drawn]:
    """Yield touchpoints of visitors drawn from the first `size`, many visits side by side."""
    draw = random.Random(size)
    here = [(draw.randrange(size), 0) for _ in range(HERE)]
    for _ in range(number):
        slot = draw.randrange(HERE)
        customer, done = here[slot]
        yield customer, done
        if done + 1 < len(templates[customer % len(templates)].following):
            here[slot] = (customer, done + 1)
        else:
            here[slot] = (draw.randrange(size), 0)


def events(templates: list[Template], drawn: Iterator[Drawn]) -> Iterator[Message]:
    """Yield what was drawn as messages of the touchpoints."""
    headers = [("format", b"native"), ("source", b"bench"), ("received_at", b"1795000000000")]
    for at, (customer, done) in enumerate(drawn):
        template = templates[customer % len(templates)]
        user = f"{template.user.decode()}-{customer}"
        said = template.following[done] | {
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
