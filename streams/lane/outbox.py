"""What a batch leads to on other topics, collected first and sent as a whole.

Nothing leaves before the agent's work on the batch is complete, so an error in
the middle of a batch leaves no half of it behind.
"""

from __future__ import annotations

import msgspec

from models.topics import Topic
from streams.lane.batch import Headers


class Message(msgspec.Struct, frozen=True, gc=False):
    """One record to be. A null key goes to any partition, a null value is a tombstone."""

    topic: Topic
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None  # None: as Java's default partitioner would, by murmur2(key)


class Outbox:
    """The messages of one batch, in the order in which they were sent."""

    __slots__ = ("messages",)

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
    ) -> None:
        """Add a message for a topic of the catalogue. Messages of one key keep their order."""
        self.messages.append(Message(topic, key, value, headers, partition))

    def __len__(self) -> int:
        return len(self.messages)
