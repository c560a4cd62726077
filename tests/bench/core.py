"""(a) The core in one process, no Kafka: what no arrangement around it can beat.

The steps of the worker, learning included, in its batches: a customer is read and
written once a batch. `python -m tests.bench.core 40000 3` runs it, for a profiler.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import contextmanager

import msgspec

from infra.files.log import Message
from infra.settings import OFFERS_FILE
from models.catalogue import parse as parse_offers
from models.customer import Customer, decode
from models.events import Wire, decode_event, encode_event, parse
from models.identity import _whose, customer_id_of, identify
from models.judge import Judge
from models.links import Command, Identity, follow, links_of, told
from models.links.seen import _joins
from models.profile import evolve
from models.react import Position, Reaction, react
from models.score import score
from models.spelling import _dialled
from models.topics import EXAMPLES
from streams.judge import Seat
from streams.known import Known
from streams.lane import Batch, Outbox, Record
from streams.lane.garbage import look_seldom
from streams.lane.view import View
from streams.learn import School
from tests.bench.workload import touchpoints

BATCH = 500
KEY = b"bench"  # signs the snapshots
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

    def each(self, number: int) -> dict[str, float]:
        """Return µs by step for each of so many."""
        return {step: cpu * 1e6 / number for step, cpu in self.steps.items()}


class Core:
    """One partition of everything. `customers` is the fold's state, as `profiles` carries it.

    `start` is the offset that the logs begin at: above all that `customers` have seen.
    """

    def __init__(
        self, judge: Judge, customers: dict[bytes, bytes] | None = None, start: int = 0
    ) -> None:
        self.clock = Clock()
        self._start = start
        self._taken = 0
        self.customers = {} if customers is None else customers
        self.log: list[bytes] = []
        self._known = Known()
        self._folded = 0
        self.identities: dict[str, Identity] = {}
        self._commands = start
        self._linked: set[str] = set()
        self._seat = Seat(judge, KEY)
        self._school = School(KEY)
        self._models: dict[bytes, bytes] = {}
        self._examples: dict[str, int] = defaultdict(int)

    def judge(self) -> Judge:
        """Return the judge with what was learnt so far."""
        return self._seat.current()

    def examples(self) -> int:
        """Return how many examples it has learnt from."""
        return sum(self._examples.values())

    def process(self, messages: list[Message]) -> None:
        """Take in touchpoints, and all that follows from them."""
        for start in range(0, len(messages), BATCH):
            fresh = self._validate(messages[start : start + BATCH])
            links = self._links(fresh)
            with self.clock("encode event"):
                self.log += [encode_event(event) for event in fresh]
            self.command(links)

    def command(self, commands: Iterable[Command]) -> None:
        """Merge and part customers, and take in all that follows. Raises on what is refused."""
        with self.clock("resolve: links"):
            for command in commands:
                found = follow(command, self.identities.get, self._commands)
                self.identities.update(found.changes)
                events = told(command, found, "identity-links/0", self._commands)
                self.log += map(encode_event, events)
                self._commands += 1
        self.append(())

    def append(self, records: Iterable[bytes]) -> None:
        """Append to the log, and take in all that follows."""
        self.log += records
        examples: list[Record] = []
        while self._folded < len(self.log):  # the fold appends too: what a loser forwards
            part = self.log[self._folded : self._folded + BATCH]
            examples += self._send(self._fold(part))
        self._learn(examples)  # at once: a worker's learner takes what came meanwhile as one batch

    def _validate(self, messages: list[Message]) -> list:
        offset, self._taken = self._start + self._taken, self._taken + len(messages)
        with self.clock("parse"):
            parsed = [
                parse(m.value, Wire.of(m.headers, 0, "touchpoints", 0, offset + n))
                for n, m in enumerate(messages)
            ]
        with self.clock("resolve: identify"):
            return [identify(event, "touchpoints/0", offset + n) for n, event in enumerate(parsed)]

    def _links(self, events: list) -> list:
        with self.clock("resolve: links"):
            links = []
            for event in events:
                links += links_of(event, self._is_new)
            return links

    def _is_new(self, link_id: str) -> bool:
        if link_id in self._linked:
            return False
        self._linked.add(link_id)
        return True

    def _fold(self, part: list[bytes]) -> list[Reaction]:
        offset, self._folded = self._start + self._folded, self._folded + len(part)
        with self.clock("decode event"):
            events = [decode_event(value) for value in part]
        with self.clock("read customer"):
            customers: dict[bytes, Customer] = {}
            for event in events:
                key = event.customer_id.encode()
                if key not in customers:
                    customers[key] = self._known.read(key, self.customers.get(key))
        with self.clock("fold, score, decide"):
            judge, reactions = self._seat.current(), []
            for number, event in enumerate(events):
                at = Position("events", 0, offset + number)
                key = event.customer_id.encode()
                reaction = react(customers[key], event, at, judge)
                customers[key] = reaction.customer
                reactions.append(reaction)
        with self.clock("write customer"):
            for key, customer in customers.items():
                self.customers[key] = self._known.write(key, customer)
        return reactions

    def _send(self, reactions: list[Reaction]) -> list[Record]:
        """Encode what goes out; return the examples."""
        with self.clock("encode outputs"):
            examples = []
            for reaction in reactions:
                for record in (*reaction.scores, *reaction.decisions, *reaction.alerts):
                    _json(record)
                for example in reaction.examples:
                    offset = self._examples[example.model]
                    self._examples[example.model] += 1
                    examples.append(Record(offset, example.model.encode(), _json(example)))
                self.log += [encode_event(event) for event in reaction.events]
            return examples

    def _learn(self, examples: list[Record]) -> None:
        if not examples:
            return
        with self.clock("learn"):
            state = View(self._models)
            self._school.advance(Batch(EXAMPLES.name, 0, tuple(examples)), state, Outbox())
            for model, snapshot in state.changes.items():
                self._models[model] = snapshot
                self._seat.note(Record(0, model, snapshot))


def run(messages: list[Message], judge: Judge) -> dict:
    """Process the messages; return µs of CPU a touchpoint by step, and touchpoints a second."""
    look_seldom()
    forget_names()
    core = Core(judge)
    begun = time.perf_counter()
    core.process(messages)
    seconds = time.perf_counter() - begun
    spent = core.clock.each(len(messages))
    return {
        "events_per_second": len(messages) / seconds,
        "cpu_us_per_event": sum(spent.values()),
        "steps_cpu_us_per_event": spent,
        "customers": len(core.customers),
        "log_events": len(core.log),
        "of_which_us_per_call": _inside(core.log[: len(messages)], core.customers, judge),
    }


def forget_names() -> None:
    """Let every name be new, as to a process that has just begun."""
    for known in (_whose, customer_id_of, _joins, _dialled):
        known.cache_clear()


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


def main() -> None:
    """Process so many touchpoints, so many times: something to look at with a profiler."""
    number, times = (int(given) for given in sys.argv[1:])
    messages = touchpoints(number)
    judge = Judge.untrained(parse_offers(OFFERS_FILE.read_text(encoding="utf-8")))
    for _ in range(times):
        run(messages, judge)


if __name__ == "__main__":
    main()
