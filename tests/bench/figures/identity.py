"""What telling who is who costs: the core on the usual mix of names, and on one name a person.

The same events both times. What the mix costs more is resolution: more names to normalise,
links, merges, and everything that a merged name forwards.
"""

import orjson

from infra.files.log import Message
from tests.bench import core
from tests.bench.harness import Bench

NAME = "identity"
GOALS = {"resolution_percent": "≤ 20"}  # of what an event costs
PASSES = 3


def measure(bench: Bench) -> dict:
    """Several passes of each in turn, on the last core; the cheapest of each counts."""
    usual = bench.touchpoints()
    mixes = {"usual": usual, "one_name": renamed(usual)}
    found: dict[str, list[dict]] = {name: [] for name in mixes}
    with bench.pinned(bench.there):
        for _ in range(PASSES):
            for name, messages in mixes.items():
                found[name].append(core.run(messages, bench.judge()))
    best = {name: min(some, key=_cost) for name, some in found.items()}
    usual_cost, one_name = _cost(best["usual"]), _cost(best["one_name"])
    return {
        "resolution_percent": 100 * (usual_cost - one_name) / usual_cost,
        "usual_cpu_us_per_event": usual_cost,
        "one_name_cpu_us_per_event": one_name,
        "customers": best["one_name"]["customers"],
        "names_that_were_customers": best["usual"]["customers"],
        "log_events": best["usual"]["log_events"],
        "steps_usual": best["usual"]["steps_cpu_us_per_event"],
        "steps_one_name": best["one_name"]["steps_cpu_us_per_event"],
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


def _cost(run: dict) -> float:
    return run["cpu_us_per_event"]
