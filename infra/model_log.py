"""A command into a model's log, where its learner finds it among the examples, in order."""

from __future__ import annotations

import time
import uuid
from contextlib import closing
from typing import Any

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError

from infra.admin import unreachable
from infra.settings import Settings
from models.records import Command
from models.topics import EXAMPLES

SECONDS = 30


def command(model: str, action: str, by: str, reason: str, **given: Any) -> Command:
    """Return a command of this moment; `given`: what the action takes besides."""
    made = {
        "command_id": uuid.uuid4().hex,
        "model": model,
        "action": action,
        "at_ms": time.time_ns() // 1_000_000,
        "by": by,
        "reason": reason,
    }
    return msgspec.convert(made | given, Command)


def append(settings: Settings, said: Command) -> int:
    """Append a command to its model's log; return its offset there.

    Raises KafkaError when it is not there for sure.
    """
    producer = KafkaProducer(
        bootstrap_servers=settings.brokers.split(","),
        acks="all",
        enable_idempotence=True,
        delivery_timeout_ms=SECONDS * 1_000,
        request_timeout_ms=10_000,
    )
    with closing(producer):
        sent = producer.send(
            settings.topic(EXAMPLES), key=said.model.encode(), value=msgspec.json.encode(said)
        )
        return int(sent.get(SECONDS).offset)


def say(settings: Settings, said: Command) -> int:
    """Append a command as `append` does. Raises UserError when Kafka does not answer."""
    try:
        return append(settings, said)
    except KafkaError as error:
        raise unreachable(settings, error) from error
