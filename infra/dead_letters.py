"""The dead letters as their topic holds them, and sending them again.

A redrive and its mark are one Kafka transaction, and only one runs at a time: no
letter goes out twice unless somebody says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from infra.admin import unreachable
from infra.errors import UserError
from infra.settings import Settings
from models.dead_letter import REDRIVEN, DeadLetter, redriven
from models.topics import DEAD_LETTERS, TOUCHPOINTS

SEND_SECONDS = 30


class Letter(NamedTuple):
    """One dead letter: where it lies, why, and the message as it was received."""

    offset: int
    at_ms: int
    why: DeadLetter
    key: bytes | None
    value: bytes | None
    redriven_ms: int | None  # when it was sent again; None: never

    @property
    def source_topic(self) -> str:
        """The topic it was refused from, without the deployment's prefix."""
        return self.why.source.split("/", 1)[0]


def read(settings: Settings) -> list[Letter]:
    """Return every letter that the topic still holds, oldest first. Raises UserError."""
    at = TopicPartition(settings.topic(DEAD_LETTERS), 0)
    letters: dict[int, Letter] = {}
    marks: dict[int, int] = {}
    try:
        with closing(_consumer(settings)) as consumer:
            consumer.assign([at])
            consumer.seek_to_beginning(at)
            end = consumer.end_offsets([at])[at]
            while consumer.position(at) < end:
                for record in consumer.poll(timeout_ms=500).get(at, ()):
                    again = redriven(record.headers)
                    if again is not None:
                        marks[again] = record.timestamp
                        continue
                    why = DeadLetter.of(record.headers)
                    letters[record.offset] = Letter(
                        record.offset, record.timestamp, why, record.key, record.value, None
                    )
    except KafkaError as error:
        raise unreachable(settings, error) from error
    return [letter._replace(redriven_ms=marks.get(of)) for of, letter in letters.items()]


def redrive(
    settings: Settings, offsets: Sequence[int], value: bytes | None = None, *, again: bool = False
) -> list[int]:
    """Send letters back to the touchpoints; return the offsets sent.

    Key and headers are kept, and the value unless `value` replaces it. Raises UserError:
    no such letter, sent already (and not `again`), not a touchpoint.
    """
    try:
        with closing(_producer(settings)) as producer:
            producer.init_transactions()  # from here on, an older redrive is fenced off
            letters = {letter.offset: letter for letter in read(settings)}
            chosen = [_checked(letters, offset, again) for offset in offsets]
            producer.begin_transaction()
            for letter in chosen:
                _send(producer, settings, letter, value)
            producer.commit_transaction()
    except KafkaError as error:
        raise unreachable(settings, error) from error
    return [letter.offset for letter in chosen]


def _checked(letters: dict[int, Letter], offset: int, again: bool) -> Letter:
    letter = letters.get(offset)
    if letter is None:
        raise UserError(f"no dead letter {offset}", "`c360 dead-letters list` shows them")
    if letter.source_topic != TOUCHPOINTS.name:
        raise UserError(
            f"dead letter {offset} was no touchpoint: it came from {letter.why.source}",
            "what another step refused cannot be validated again",
        )
    if letter.redriven_ms is not None and not again:
        raise UserError(f"dead letter {offset} was sent again already", "--again sends it anew")
    return letter


def _send(producer: KafkaProducer, settings: Settings, letter: Letter, value: bytes | None) -> None:
    headers = list(letter.why.headers)
    if not any(name == "received_at" for name, _ in headers):
        headers.append(("received_at", str(letter.at_ms).encode()))  # it came then, not now
    headers.append(("redriven_from", str(letter.offset).encode()))
    sent = letter.value if value is None else value
    producer.send(settings.topic(TOUCHPOINTS), key=letter.key, value=sent, headers=headers)
    mark = [(REDRIVEN, str(letter.offset).encode())]
    producer.send(settings.topic(DEAD_LETTERS), key=letter.key, value=None, headers=mark)


def _consumer(settings: Settings) -> KafkaConsumer:
    return KafkaConsumer(
        bootstrap_servers=settings.brokers.split(","),
        isolation_level="read_committed",
        enable_auto_commit=False,
    )


def _producer(settings: Settings) -> KafkaProducer:
    return KafkaProducer(
        bootstrap_servers=settings.brokers.split(","),
        acks="all",
        enable_idempotence=True,
        transactional_id=f"{settings.topic_prefix}redrive",
        max_request_size=8 * 1024 * 1024,
        delivery_timeout_ms=SEND_SECONDS * 1_000,
        request_timeout_ms=10_000,
    )
