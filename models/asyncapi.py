"""The topics and what they carry, as an AsyncAPI document.

Every topic of the catalogue is in it; a new one without an entry here is a KeyError.
"""

from __future__ import annotations

from typing import Any

from models import schema, topics
from models.topics import Topic

Json = dict[str, Any]
_HEADERS: Json = {
    "type": "object",
    "description": "all optional, ASCII",
    "properties": {
        "format": {"enum": ["native", "segment", "cloudevents"], "default": "native"},
        "received_at": {"type": "string", "pattern": "^[0-9]+$", "description": "ms since 1970"},
        "source": {"type": "string", "description": "name of the write key or file"},
        "sent_at": {
            "type": "string",
            "format": "date-time",
            "description": "by the sender's clock; an event's own word goes first",
        },
        "observed_until": {"type": "string", "description": "ms since 1970: a backfill's end"},
    },
}
# Topic -> what one record says, and the schema of its value; None: bytes of the stream's own.
_CARRIES: dict[str, tuple[str, str | None]] = {
    topics.TOUCHPOINTS.name: ("one event, as received", "Touchpoint"),
    topics.DEAD_LETTERS.name: ("a rejected message, whole; reason and place as headers", None),
    topics.IDENTITY_LINKS.name: (
        "a link between two customers, or a person's word to merge or part them",
        None,
    ),
    topics.IDENTITIES.name: ("a customer id's place among others: links, group, refusals", None),
    topics.EVENTS.name: ("an event: the source of truth", "Event"),
    topics.PROFILES.name: ("a customer, whole; the newest one counts", "Customer"),
    topics.SCORES.name: ("a prediction, with its reasons", "Score"),
    topics.DECISIONS.name: ("the offer to make now, with its propensity", "Decision"),
    topics.ALERTS.name: ("an episode opened or closed", "Alert"),
    topics.DELIVERIES.name: ("an attempt to deliver an alert", "Delivery"),
    topics.OUTBOX.name: ("what is still to be delivered", None),
    topics.EXAMPLES.name: ("a labelled example, or a command to its learner", "ModelRecord"),
    topics.MODEL_SNAPSHOTS.name: ("a model, signed", None),
    topics.MODEL_REPORTS.name: ("how good a model is, and what changed it", "Report"),
    topics.ERASURES.name: ("a request to forget a customer, and its receipts", None),
}


def document() -> Json:
    """Return the AsyncAPI 3.0 document; topic names are without a deployment's prefix."""
    channels = {topic.name: _channel(topic) for topic in topics.CATALOGUE}
    operations = {f"read-{name}": _operation("receive", name) for name in channels}
    operations["send-touchpoints"] = _operation("send", topics.TOUCHPOINTS.name)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "customer360",
            "version": "1",
            "description": "Kafka topics, seen by an application that reads them. A deployment "
            "puts its prefix (C360_TOPIC_PREFIX) before each address.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"schemas": _schemas()},
    }


def _schemas() -> Json:
    # The same parts, as sent and as logged, differ: those of the log carry a name of their own.
    logged = schema.events("#/components/schemas/Logged{model}")
    event = logged.pop("Event")
    own = {f"Logged{name}": part for name, part in logged.items()}
    kinds = ("Example", "Command", "Reserved")
    record: Json = {"oneOf": [{"$ref": schema.REF.format(model=name)} for name in kinds]}
    return schema.touchpoints() | schema.records() | own | {"Event": event, "ModelRecord": record}


def _channel(topic: Topic) -> Json:
    says, value = _CARRIES[topic.name]
    message: Json = {
        "name": topic.name,
        "summary": says,
        "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}}},
    }
    if value:
        message["payload"] = {"$ref": schema.REF.format(model=value)}
    if topic is topics.TOUCHPOINTS:
        message["headers"] = _HEADERS
    return {"address": topic.name, "description": _kept(topic), "messages": {"record": message}}


def _kept(topic: Topic) -> str:
    if topic.compacted:
        return "compacted: the newest record of each key is kept"
    return f"kept for {topic.keep.days} days" if topic.keep else "kept for ever"


def _operation(action: str, channel: str) -> Json:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}
