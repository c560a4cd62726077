"""Bytewax running the flow: `python -m bytewax.run tests.bench.peers.bytewax.flow:flow`.

Customers live in the operator's state and go into the recovery store; each batch's
profile of a customer is sent once. A dataflow has no way back, so what a step sends to
an earlier one (merges, forwarded events) goes through the events topic, as elsewhere.

Bytewax takes a batch apart by key. The core takes what one partition sends in the order
of that partition, so the rows of a batch are put back into it before they leave.
"""

from datetime import timedelta
from itertools import chain
from operator import itemgetter

from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic

from models.customer import Customer, encode
from models.events import decode_event
from models.links import Identity
from models.react import Position, react
from models.topics import EVENTS, EXAMPLES, IDENTITY_LINKS, PROFILES, TOUCHPOINTS
from tests.bench.peers import steps

BROKERS = steps.settings.brokers.split(",")
PROFILES_NAME = steps.settings.topic(PROFILES)
PRODUCER = {
    "acks": "all",
    "enable.idempotence": "true",
    "compression.type": "lz4",
    "partitioner": "murmur2_random",
    "queue.buffering.max.messages": "500000",
}


Placed = tuple[Position, list[steps.Row]]  # what follows from the event at that position


class Resolve(StatefulBatchLogic):
    """Links to merges; every cluster is here."""

    def __init__(self, identities: dict[str, Identity] | None) -> None:
        self.identities = identities or {}

    def on_batch(self, values: list[KafkaSourceMessage]) -> tuple[list[steps.Row], bool]:
        rows = []
        for message in values:
            changes, merges = steps.follow(message.value, message.offset, self.identities.get)
            self.identities.update(changes)
            rows += merges
        return rows, StatefulBatchLogic.RETAIN

    def snapshot(self) -> dict[str, Identity]:
        return dict(self.identities)


class Learn(StatefulBatchLogic):
    """Examples to a model's snapshots."""

    def __init__(self, kept: bytes | None) -> None:
        self.kept = kept

    def on_batch(self, values: list[list[KafkaSourceMessage]]) -> tuple[list[steps.Row], bool]:
        examples = list(chain.from_iterable(values))
        model = examples[0].key.decode()
        said = ((message.offset, message.value) for message in examples)
        self.kept, rows = steps.taught(model, self.kept, said)
        return rows, StatefulBatchLogic.RETAIN

    def snapshot(self) -> bytes | None:
        return self.kept


class Fold(StatefulBatchLogic):
    """One customer's events to its profile, scores and what follows."""

    def __init__(self, customer: Customer | None) -> None:
        self.customer = customer

    def on_batch(self, values: list[KafkaSourceMessage]) -> tuple[list[Placed], bool]:
        rows: list[Placed] = []
        customer = self.customer
        for message in values:
            event = decode_event(message.value)
            customer = customer or Customer(customer_id=event.customer_id)
            at = Position("events", message.partition, message.offset)
            reaction = react(customer, event, at, steps.judge())
            if reaction.changed:
                customer = reaction.customer
                rows.append((at, steps.outgoing(message.key, reaction)))
        if customer is not self.customer:
            rows.append((at, [(PROFILES_NAME, message.key, encode(customer))]))
            self.customer = customer
        return rows, StatefulBatchLogic.RETAIN

    def snapshot(self) -> Customer | None:
        return self.customer


def validate(messages: list[KafkaSourceMessage]) -> list[steps.Row]:
    """Raw bytes to events and links."""
    return [
        row
        for message in messages
        for row in steps.accept(message.value, message.headers, message.partition, message.offset)
    ]


def in_order(placed: list[Placed]) -> list[steps.Row]:
    """Put a batch's rows into the order of the events they follow from."""
    placed.sort(key=itemgetter(0))
    return list(chain.from_iterable(rows for _, rows in placed))


def to_sink(rows: list[steps.Row]) -> list[KafkaSinkMessage]:
    return [KafkaSinkMessage(key, value, topic=topic) for topic, key, value in rows]


def keyed(messages: list[KafkaSourceMessage]) -> list[tuple[str, KafkaSourceMessage]]:
    return [(message.key.decode(), message) for message in messages]


def read(flow: Dataflow, topic) -> op.Stream:
    """Read one topic of the catalogue."""
    return op.input(f"{topic.name} in", flow, KafkaSource(BROKERS, [steps.settings.topic(topic)]))


def stateful(name: str, up: op.Stream, logic) -> op.Stream:
    """Run `logic` for each key; return its rows."""
    pairs = op.flat_map_batch(f"{name} keyed", up, keyed)
    return op.key_rm(f"{name} rows", op.stateful_batch(name, pairs, logic))


def learning(up: op.Stream) -> op.Stream:
    """Learn some examples at a time: reading and writing a model costs more than an example."""
    pairs = op.flat_map_batch("examples keyed", up, keyed)
    collected = op.collect("examples", pairs, timedelta(seconds=0.5), 1_000)
    return op.key_rm("snapshots", op.stateful_batch("learn", collected, Learn))


flow = Dataflow("customer360")
rows = op.merge(
    "rows",
    op.flat_map_batch("validate", read(flow, TOUCHPOINTS), validate),
    learning(read(flow, EXAMPLES)),
    stateful("resolve", read(flow, IDENTITY_LINKS), Resolve),
    op.flat_map_batch("in order", stateful("fold", read(flow, EVENTS), Fold), in_order),
)
op.output("out", op.flat_map_batch("to sink", rows, to_sink), KafkaSink(BROKERS, None, PRODUCER))
