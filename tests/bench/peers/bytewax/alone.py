"""Bytewax doing the small job: decode JSON, count and sum by key, totals acknowledged.

`python -m bytewax.run tests.bench.peers.bytewax.alone:flow`. It has no changelog topic:
each batch's changed totals go to one through its sink, which waits for the broker.
"""

import time

from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic

from models.topics import EVENTS, PROFILES
from tests.bench.peers.job import MARK, Total, encode, read, settings

BROKERS = settings.brokers.split(",")
PRODUCER = {
    "acks": "all",
    "enable.idempotence": "true",
    "compression.type": "lz4",
    "queue.buffering.max.messages": "500000",
}
seen = 0


class Count(StatefulBatchLogic):
    """One key's total."""

    def __init__(self, known: Total | None) -> None:
        self.known = known or Total()

    def on_batch(self, values: list[int]) -> tuple[list[bytes], bool]:
        self.known = Total(self.known.n + len(values), self.known.total + sum(values))
        return [encode(self.known)], StatefulBatchLogic.RETAIN

    def snapshot(self) -> Total:
        return self.known


def decoded(messages: list[KafkaSourceMessage]) -> list[tuple[str, int]]:
    """Read a batch, by key; say when so many have been that the clock may start."""
    global seen
    before, seen = seen, seen + len(messages)
    if before < MARK <= seen:
        print("mark", seen, time.time_ns() // 1_000_000, flush=True)
    return [(message.key.decode(), read(message.value).amount) for message in messages]


def to_sink(totals: list[tuple[str, bytes]]) -> list[KafkaSinkMessage]:
    return [KafkaSinkMessage(key.encode(), value) for key, value in totals]


flow = Dataflow("alone")
messages = op.input("in", flow, KafkaSource(BROKERS, [settings.topic(EVENTS)]))
totals = op.stateful_batch("count", op.flat_map_batch("decode", messages, decoded), Count)
sink = KafkaSink(BROKERS, settings.topic(PROFILES), PRODUCER)
op.output("out", op.flat_map_batch("to sink", totals, to_sink), sink)
