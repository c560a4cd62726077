"""What telling who is who costs: the core on the usual mix of names, and on one name a person.

The same events both times. What the mix costs more is resolution: more names to normalise,
links, merges, and everything that a merged name forwards.
"""

from collections import defaultdict

import orjson

from infra.files.log import Message
from streams.lane.garbage import look_seldom
from tests.bench.core import BATCH, Core, forget_names
from tests.bench.harness import Bench

NAME = "identity"
GOALS = {"resolution_percent": "≤ 20"}  # of what an event costs
PASSES = 3


def measure(bench: Bench) -> dict:
    """Several passes of both, batch by batch in turn; the cheapest of each step's batches count."""
    usual = bench.touchpoints()
    mixes = {"usual": usual, "one_name": renamed(usual)}
    best: dict[tuple[str, str, int], float] = {}  # mix, step, first message -> CPU s
    with bench.pinned(bench.there):
        look_seldom()
        for _ in range(PASSES):
            forget_names()
            cores = {name: Core(bench.judge()) for name in mixes}
            for at in range(0, len(usual), BATCH):
                for name, core in cores.items():
                    core.clock.steps.clear()
                    core.process(mixes[name][at : at + BATCH])
                    for step, cpu in core.clock.steps.items():
                        key = (name, step, at)
                        best[key] = min(cpu, best.get(key, cpu))
    steps: dict[str, dict[str, float]] = {name: defaultdict(float) for name in mixes}
    for (name, step, _), cpu in best.items():
        steps[name][step] += cpu * 1e6 / len(usual)
    usual_cost, one_name = (sum(steps[name].values()) for name in mixes)
    return {
        "resolution_percent": 100 * (usual_cost - one_name) / usual_cost,
        "usual_cpu_us_per_event": usual_cost,
        "one_name_cpu_us_per_event": one_name,
        "customers": len(cores["one_name"].customers),
        "names_that_were_customers": len(cores["usual"].customers),
        "log_events": len(cores["usual"].log),
        "steps_usual": dict(steps["usual"]),
        "steps_one_name": dict(steps["one_name"]),
    }


def renamed(messages: list[Message]) -> list[Message]:
    """Return the same events, each person under one user id from the first on."""
    events = [orjson.loads(message.value) for message in messages]
    person: dict[tuple[str, str], tuple[str, str]] = {}

    def whose(name: tuple[str, str]) -> tuple[str, str]:
        while (above := person.setdefault(name, name)) != name:
            name = above
        return name

    for event in events:
        first, *others = [whose((one["type"], one["value"])) for one in event["identifiers"]]
        for other in others:
            person[whose(other)] = whose(first)
    made = []
    for message, event in zip(messages, events, strict=True):
        kind, value = whose((event["identifiers"][0]["type"], event["identifiers"][0]["value"]))
        name = {"type": "user_id", "value": f"{kind}-{value}"}
        value_of = orjson.dumps(event | {"identifiers": [name]})
        made.append(Message(f"user_id:{name['value']}".encode(), value_of, message.headers))
    return made
