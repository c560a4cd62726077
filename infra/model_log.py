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


def say(settings: Settings, said: Command) -> int:
    """Append a command to its model's log; return its offset there. Raises UserError."""
    try:
        with closing(
            KafkaProducer(bootstrap_servers=settings.brokers.split(","), acks="all")
        ) as producer:
            sent = producer.send(
                settings.topic(EXAMPLES), msgspec.json.encode(said), said.model.encode()
            )
            return int(sent.get(SECONDS).offset)
    except KafkaError as error:
        raise unreachable(settings, error) from error
