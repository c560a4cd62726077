"""Quix Streams running the flow: a dataframe a step, state in its store, changelogs on.

Customers are in Quix's own store, whose changelog carries the profiles; state and
offsets are committed together, after the producer's flush.
"""

from quixstreams import Application, message_context
from quixstreams.models import Serializer, Topic
from quixstreams.state import State

from models.customer import Customer, decode, encode
from models.events import decode_event
from models.links import Identity, decode_identity
from models.links import encode as encode_identity
from models.react import Position, react
from models.topics import CATALOGUE, EVENTS, EXAMPLES, IDENTITY_LINKS, TOUCHPOINTS
from tests.bench.peers import steps

COMMIT_SECONDS = 0.5  # as often as the worker does; 5 s is the default
KEPT = "kept"


class Payload(Serializer):
    """Writes a row's third part: the row says by itself where it goes."""

    def __call__(self, value: steps.Row, ctx: object) -> bytes:
        return value[2]


app = Application(
    broker_address=steps.settings.brokers,
    consumer_group=steps.GROUP,
    auto_offset_reset="earliest",
    commit_interval=COMMIT_SECONDS,
    state_dir=steps.settings.home / "quix",
    producer_extra_config={
        "compression.type": "lz4",
        "linger.ms": 20,
        "queue.buffering.max.messages": 500_000,
    },
    loglevel="WARNING",
)
topics: dict[str, Topic] = {
    steps.settings.topic(topic): app.topic(
        steps.settings.topic(topic),
        value_deserializer="bytes",
        value_serializer=Payload(),
    )
    for topic in CATALOGUE
}


def validate(value: bytes, key: bytes, timestamp: int, headers: list) -> list[steps.Row]:
    """Raw bytes to events and links."""
    at = message_context()
    return steps.accept(value, headers, at.partition, at.offset)


def resolve(value: bytes, state: State) -> list[steps.Row]:
    """Links to merges."""

    def lookup(key: str) -> Identity | None:
        kept = state.get_bytes(key)
        return None if kept is None else decode_identity(kept)

    changes, rows = steps.follow(value, message_context().offset, lookup)
    for key, identity in changes.items():
        state.set_bytes(key, encode_identity(identity))
    return rows


def fold(value: bytes, key: bytes, timestamp: int, headers: list, state: State) -> list[steps.Row]:
    """Events to profiles, scores and what follows."""
    kept, event = state.get_bytes(KEPT), decode_event(value)
    customer = Customer(customer_id=event.customer_id) if kept is None else decode(kept)
    at = message_context()
    reaction = react(customer, event, Position("events", at.partition, at.offset), steps.judge())
    if not reaction.changed:
        return []
    state.set_bytes(KEPT, encode(reaction.customer))
    return steps.outgoing(key, reaction)


def learn(value: bytes, key: bytes, timestamp: int, headers: list, state: State) -> list[steps.Row]:
    """Examples to a model's snapshots."""
    example = (message_context().offset, value)
    snapshot, rows = steps.taught(key.decode(), state.get_bytes(KEPT), [example])
    if rows:
        state.set_bytes(KEPT, snapshot)
    return rows


def send(dataframe) -> None:
    """Let each row go where it says."""
    dataframe.to_topic(
        lambda row, key, timestamp, headers: topics[row[0]],
        key=lambda row: row[1],
    )


def named(topic) -> Topic:
    return topics[steps.settings.topic(topic)]


send(app.dataframe(named(TOUCHPOINTS)).apply(validate, expand=True, metadata=True))
send(app.dataframe(named(IDENTITY_LINKS)).apply(resolve, expand=True, stateful=True))
send(app.dataframe(named(EXAMPLES)).apply(learn, expand=True, stateful=True, metadata=True))
send(app.dataframe(named(EVENTS)).apply(fold, expand=True, stateful=True, metadata=True))

if __name__ == "__main__":
    app.run(collect=False)
