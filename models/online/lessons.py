"""What a model's log says, one record at a time: an example to learn, or a word to follow."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from models.errors import Reason, TouchpointRejectedError
from models.records import Command, Example, ModelRecord, Reserved, unpack

_read = msgspec.json.Decoder(ModelRecord).decode


class Lesson(NamedTuple):
    """An example where it was found, with its features read."""

    offset: int
    example: Example
    features: dict[str, float]
    received_ms: int = 0  # when the log took it


class Order(NamedTuple):
    """A command, or a word on what is in stock, where it was found."""

    offset: int
    command: Command | Reserved
    received_ms: int = 0


def read_lesson(offset: int, value: bytes | None, received_ms: int = 0) -> Lesson | Order:
    """Read one record of `examples`. Raises TouchpointRejectedError on what is neither."""
    if not value:
        raise TouchpointRejectedError(Reason.EMPTY, "an example without a value")
    try:
        record = _read(value)
        if isinstance(record, Command | Reserved):
            return Order(offset, record, received_ms)
        return Lesson(offset, record, unpack(record.features), received_ms)
    except msgspec.MsgspecError as error:
        raise TouchpointRejectedError(Reason.BAD_FIELD, str(error)) from error
