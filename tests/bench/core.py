"""(a) The core in one process, no Kafka: what the other two cannot beat.

The steps of the worker, in its batches: a customer is read and written once a batch.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager

import msgspec

from infra.files.log import Message
from models.customer import Customer, decode
from models.events import Wire, decode_event, encode_event, parse
from models.identity import identify
from models.judge import Judge
from models.links import links_of, merged, resolve
from models.profile import evolve
from models.react import Position, react
from models.score import score
from streams.known import Known
from streams.lane.garbage import look_seldom

BATCH = 500  # as many as the lane gives an agent at most
_json = msgspec.json.Encoder().encode


class Clock:
    """CPU seconds by step."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, step: str):
        begun = time.process_time()
        yield
        self.steps[step] += time.process_time() - begun


def run(messages: list[Message], judge: Judge) -> dict:
    """Process the messages; return µs of CPU a touchpoint by step, and touchpoints a second."""
    look_seldom()
    clock, known = Clock(), Known()
    log: list[bytes] = []
    customers: dict[bytes, bytes] = {}
    identities: dict = {}
    linked: set[str] = set()
    written = 0
    begun = time.perf_counter()
    for start in range(0, len(messages), BATCH):
        fresh = _validate(clock, messages[start : start + BATCH], start)
        links = _links(clock, fresh, linked)
        with clock("encode event"):
            log += [encode_event(event) for event in fresh]
        log += _resolve(clock, links, identities)
        while written < len(log):  # the fold appends too: what a loser forwards
            part = log[written : written + BATCH]
            written_before, written = written, written + len(part)
            log += _fold(clock, part, written_before, customers, known, judge)
    seconds = time.perf_counter() - begun
    spent = {step: cpu * 1e6 / len(messages) for step, cpu in clock.steps.items()}
    return {
        "events_per_second": len(messages) / seconds,
        "cpu_us_per_event": sum(spent.values()),
        "steps_cpu_us_per_event": spent,
        "customers": len(customers),
        "log_events": len(log),
        "of_which_us_per_call": _inside(log[: len(messages)], customers, judge),
    }


def _validate(clock: Clock, messages: list[Message], offset: int) -> list:
    with clock("parse"):
        parsed = [
            parse(m.value, Wire.of(m.headers, 0, "touchpoints", 0, offset + n))
            for n, m in enumerate(messages)
        ]
    with clock("resolve: identify"):
        return [identify(event, "touchpoints/0", offset + n) for n, event in enumerate(parsed)]


def _links(clock: Clock, events: list, linked: set[str]) -> list:
    with clock("resolve: links"):
        links = []
        for event in events:
            for link in links_of(event):
                if link.link_id not in linked:
                    linked.add(link.link_id)
                    links.append(link)
        return links


def _resolve(clock: Clock, links: list, identities: dict) -> list[bytes]:
    with clock("resolve: links"):
        merges = []
        for number, link in enumerate(links):
            found = resolve(link, identities.get)
            identities.update(found.changes)
            if found.merge is not None:
                at = len(identities) * 1_000 + number
                merges.append(encode_event(merged(link, found.merge, "identity-links/0", at)))
        return merges


def _fold(
    clock: Clock,
    part: list[bytes],
    offset: int,
    kept: dict[bytes, bytes],
    known: Known,
    judge: Judge,
) -> list[bytes]:
    with clock("decode event"):
        events = [decode_event(value) for value in part]
    with clock("read customer"):
        customers: dict[bytes, Customer] = {}
        for event in events:
            key = event.customer_id.encode()
            if key not in customers:
                customers[key] = known.read(key, kept.get(key))
    with clock("fold, score, decide"):
        reactions = []
        for number, event in enumerate(events):
            at = Position("events", 0, offset + number)
            key = event.customer_id.encode()
            reaction = react(customers[key], event, at, judge)
            customers[key] = reaction.customer
            reactions.append(reaction)
    with clock("write customer"):
        kept.update((key, known.write(key, customer)) for key, customer in customers.items())
    with clock("encode outputs"):
        onward = []
        for reaction in reactions:
            for record in (*reaction.scores, *reaction.decisions, *reaction.alerts):
                _json(record)
            for example in reaction.examples:
                _json(example)
            onward += [encode_event(event) for event in reaction.events]
        return onward


def _inside(log: list[bytes], kept: dict[bytes, bytes], judge: Judge) -> dict[str, float]:
    """Time single calls within the fold, on customers as they are at the end."""
    events = [decode_event(value) for value in log[:2_000]]
    customers = [decode(kept[event.customer_id.encode()]) for event in events]
    pairs = [
        (event, customer)
        for event, customer in zip(events, customers, strict=True)
        if hasattr(event, "identifiers") and customer.merged_into is None
    ]
    return {
        "evolve": _each(lambda pair: evolve(pair[1].profile, pair[0]), pairs),
        "score": _each(lambda pair: score(pair[1], pair[1].clock_ms, "bench", judge), pairs),
    }


def _each(call: Callable, pairs: list) -> float:
    begun = time.process_time()
    for pair in pairs:
        call(pair)
    return (time.process_time() - begun) * 1e6 / max(len(pairs), 1)
