"""(c) Stock Faust: the same core, one event at a time, state in a Table. A process of its own.

As the library comes: its own consumer, Table, changelog and producer buffer, default
settings but for those that say where Kafka is.
"""

import os
import sys

os.environ.setdefault("F_LOOP", "uvloop")  # the worker has it too

import faust
import msgspec

from infra.settings import Settings
from models.catalogue import parse as parse_catalogue
from models.customer import Customer, decode, encode
from models.events import Wire, decode_event, encode_event, parse
from models.identity import identify
from models.judge import Judge
from models.links import decode_identity, decode_link, links_of, merged, resolve
from models.links import encode as encode_link
from models.react import Position, react
from models.topics import (
    ALERTS,
    DECISIONS,
    EVENTS,
    EXAMPLES,
    IDENTITY_LINKS,
    SCORES,
    TOUCHPOINTS,
)

settings = Settings.from_env(os.environ)
judge = Judge.untrained(parse_catalogue(settings.offers_file.read_text(encoding="utf-8")))
app = faust.App(
    settings.topic_prefix + "worker",
    broker=[f"kafka://{broker}" for broker in settings.brokers.split(",")],
    store="memory://",
    topic_partitions=settings.partitions,
    topic_replication_factor=1,
    datadir=str(settings.home / "stock"),
    web_enabled=False,
)


def topic(of) -> faust.TopicT:
    """Bind a topic of the catalogue, bytes in and out."""
    count = of.partitions or settings.partitions
    return app.topic(
        settings.topic(of),
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        partitions=count,
    )


touchpoints, links, events = topic(TOUCHPOINTS), topic(IDENTITY_LINKS), topic(EVENTS)
scores, decisions, alerts = topic(SCORES), topic(DECISIONS), topic(ALERTS)
examples = topic(EXAMPLES)
table = {"key_type": bytes, "value_type": bytes}
customers = app.Table("customers", partitions=settings.partitions, **table)
identities = app.Table("identities", partitions=1, **table)
linked: set[str] = set()
_json = msgspec.json.Encoder().encode


@app.agent(touchpoints, name="validate")
async def validate(stream):
    """Raw bytes to events and links."""
    async for record in stream.events():
        at = record.message
        wire = Wire.of(at.headers or (), 0, at.topic, at.partition, at.offset)
        event = identify(parse(record.value, wire), f"{at.topic}/{at.partition}", at.offset)
        await events.send(key=event.customer_id.encode(), value=encode_event(event))
        for link in links_of(event):
            if link.link_id not in linked:
                linked.add(link.link_id)
                await links.send(key=link.left.encode(), value=encode_link(link))


@app.agent(links, name="resolve")
async def resolve_links(stream):
    """Links to merges."""
    async for record in stream.events():
        link = decode_link(record.value)

        def lookup(key: str):
            value = identities.get(key.encode())
            return decode_identity(value) if value else None

        found = resolve(link, lookup)
        for key, identity in found.changes.items():
            identities[key.encode()] = encode_link(identity)
        if found.merge is not None:
            event = merged(link, found.merge, record.message.topic, record.message.offset)
            await events.send(key=found.merge.loser.encode(), value=encode_event(event))


@app.agent(events, name="fold")
async def fold(stream):
    """Events to profiles, scores and what follows."""
    async for record in stream.events():
        event = decode_event(record.value)
        key = event.customer_id.encode()
        value = customers.get(key)
        customer = decode(value) if value else Customer(customer_id=event.customer_id)
        at = Position(record.message.topic, record.message.partition, record.message.offset)
        reaction = react(customer, event, at, judge)
        if not reaction.changed:
            continue
        customers[key] = encode(reaction.customer)
        for out, records in (
            (scores, reaction.scores),
            (decisions, reaction.decisions),
            (alerts, reaction.alerts),
        ):
            for one in records:
                await out.send(key=key, value=_json(one))
        for example in reaction.examples:
            await examples.send(key=example.model.encode(), value=_json(example))
        for onward in reaction.events:
            await events.send(key=onward.customer_id.encode(), value=encode_event(onward))


if __name__ == "__main__":
    sys.argv = ["stock", "worker", "--loglevel", "warn"]
    app.main()
