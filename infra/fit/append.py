"""The command that hands a fitted population to its learner, appended to the model log."""

from __future__ import annotations

from contextlib import closing

import msgspec
from kafka import KafkaProducer
from msgspec import Raw

from infra.settings import Settings
from models.population import Population, encode
from models.records import Command
from models.topics import EXAMPLES

MODEL = "population"
SEND_SECONDS = 30


def command(population: Population, by: str, reason: str) -> Command:
    """Return the command; its id follows from the moment of the fit."""
    return Command(
        command_id=f"{MODEL}:{population.fitted_ms}",
        model=MODEL,
        action="population",
        at_ms=population.fitted_ms,
        by=by,
        reason=reason,
        population=Raw(encode(population)),
    )


def append(settings: Settings, made: Command) -> None:
    """Append a command to its model's log. Raises KafkaError when it is not there for sure."""
    producer = KafkaProducer(
        bootstrap_servers=settings.brokers.split(","),
        acks="all",
        enable_idempotence=True,
        delivery_timeout_ms=SEND_SECONDS * 1_000,
        request_timeout_ms=10_000,
    )
    with closing(producer):
        sent = producer.send(
            settings.topic(EXAMPLES), key=made.model.encode(), value=msgspec.json.encode(made)
        )
        sent.get(SEND_SECONDS)
