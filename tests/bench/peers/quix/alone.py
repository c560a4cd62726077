"""Quix Streams doing the small job: decode JSON, count and sum by key, changelog acknowledged."""

import time

from quixstreams import Application
from quixstreams.state import State

from models.topics import EVENTS
from tests.bench.peers.job import MARK, Total, decode, encode, read, settings

app = Application(
    broker_address=settings.brokers,
    consumer_group=settings.topic_prefix + "quix",
    auto_offset_reset="earliest",
    commit_interval=0.5,
    state_dir=settings.home / "quix",
    producer_extra_config={"compression.type": "lz4", "linger.ms": 20},
    loglevel="WARNING",
)
seen = 0


def count(value: bytes, state: State) -> None:
    """Fold one event."""
    global seen
    kept = state.get_bytes("total")
    known = Total() if kept is None else decode(kept)
    known.n += 1
    known.total += read(value).amount
    state.set_bytes("total", encode(known))
    seen += 1
    if seen == MARK:
        print("mark", seen, time.time_ns() // 1_000_000, flush=True)


events = app.topic(settings.topic(EVENTS), value_deserializer="bytes")
app.dataframe(events).update(count, stateful=True)

if __name__ == "__main__":
    app.run(collect=False)
