"""The application: Faust's, whose agents are handed batches.

An agent reads plainly: a batch in, one call to the core, `complete`. The law is
the order in `complete`: outputs on the broker, then state on the changelog, then
visible, and only then (when the agent asks for its next batch) the source offset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import faust

from models.topics import Topic
from streams.lane.batch import Batch, Record
from streams.lane.outbox import Outbox
from streams.lane.state import StateTable, View


class App(faust.App):  # type: ignore[misc]  # Faust ships no types that mypy reads here
    """A Faust app on batches. `topics` are all that it reads or writes, checked at the start."""

    def __init__(
        self, id: str, *, prefix: str, partitions: int, topics: Iterable[Topic], **conf: Any
    ) -> None:
        super().__init__(id, **conf)
        self.prefix = prefix
        self.partitions = partitions

    def source(self, topic: Topic) -> Any:
        """Bind a topic that agents read: `@app.agent(app.source(EVENTS), name="fold")`."""
        return self.topic(self.prefix + topic.name)

    def StateTable(self, name: str, *, source: Topic, changelog: Topic) -> StateTable:  # noqa: N802
        """Return keyed state, partitioned like `source`, kept on `changelog`."""
        return StateTable(name, source, changelog)

    def follow(self, topic: Topic, on_record: Callable[[Record], None]) -> None:
        """Hand every record of a topic, from its beginning and for ever, to `on_record`.

        All partitions, no consumer group: each worker sees everything. Streams
        begin when what was there at the start has been handed over.
        """
        raise NotImplementedError

    async def publish(self, outbox: Outbox) -> None:
        """Send messages that belong to no batch; returns when the brokers have them."""
        raise NotImplementedError

    async def complete(self, batch: Batch, outbox: Outbox, state: View | None = None) -> bool:
        """Make a batch's results durable; False: the batch is somebody else's by now."""
        raise NotImplementedError
