"""Records read and not loaded yet, and which of them are loaded together.

A batch's borders are written down (in the group's committed metadata) before it is
loaded: who takes over after a crash cuts the same batch again, so its token matches.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from models.topics import Topic
from projections.load import Chunk
from projections.table import Record

MOST_RECORDS = 20_000
MOST_BYTES = 32 * 1024 * 1024
LONGEST_WAIT_SECONDS = 0.5


class At(NamedTuple):
    """One partition of one topic (bare name: the deployment's prefix is left out)."""

    topic: Topic
    partition: int


class Plan(NamedTuple):
    """What a crash may have interrupted: the batch, and its last offset in this partition."""

    batch: str
    last: int

    def text(self) -> str:
        """Write the plan as commit metadata."""
        return f"{self.batch} {self.last}"

    @classmethod
    def read(cls, metadata: str | None) -> Plan | None:
        """Read commit metadata; None when it holds no plan."""
        batch, _, last = (metadata or "").partition(" ")
        return cls(batch, int(last)) if batch and last.isdigit() else None


class Batch(NamedTuple):
    """Chunks of one topic that are loaded in one insert a table."""

    name: str
    chunks: Sequence[Chunk]

    def plans(self) -> dict[At, Plan]:
        """Return what to write down before loading."""
        return {
            At(chunk.topic, chunk.partition): Plan(self.name, chunk.last) for chunk in self.chunks
        }


class Intake:
    """The waiting records of the partitions that are ours."""

    def __init__(self) -> None:
        self._waiting: dict[At, list[Record]] = {}
        self._bytes: dict[At, int] = {}  # counted once, as they come: `due` is asked at every read
        self._since: dict[Topic, float] = {}
        self._plans: dict[At, Plan] = {}
        self._next: dict[At, int] = {}

    @property
    def idle(self) -> bool:
        """Whether nothing waits."""
        return not any(self._waiting.values())

    def assign(self, plans: Mapping[At, Plan | None]) -> None:
        """Begin with partitions, each with the plan that its last owner left, if any."""
        for at, plan in plans.items():
            self._waiting[at], self._bytes[at] = [], 0
            if plan is not None:
                self._plans[at] = plan

    def revoke(self) -> None:
        """Forget everything: what is uncommitted is read again by whoever owns it next."""
        for state in (self._waiting, self._bytes, self._since, self._plans, self._next):
            state.clear()

    def add(self, at: At, records: Sequence[Record], position: int, now: float) -> None:
        """Take in what was read; `position` is the next offset to be read."""
        self._waiting.setdefault(at, []).extend(records)
        self._bytes[at] = self._bytes.get(at, 0) + _size(records)
        self._next[at] = position
        self._since.setdefault(at.topic, now)

    def due(self, now: float, *, all_of_it: bool = False) -> list[Batch]:
        """Take out the batches that are big enough or have waited long enough."""
        batches = self._interrupted()
        for topic in list(self._since):
            mine = [at for at in self._waiting if at.topic == topic and at not in self._plans]
            if all_of_it or self._is_due(topic, mine, now):
                del self._since[topic]
                batch = self._cut(uuid.uuid4().hex, [(at, None) for at in mine])
                if batch.chunks:
                    batches.append(batch)
        return batches

    def _is_due(self, topic: Topic, mine: Sequence[At], now: float) -> bool:
        return (
            now - self._since[topic] >= LONGEST_WAIT_SECONDS
            or sum(len(self._waiting[at]) for at in mine) >= MOST_RECORDS
            or sum(self._bytes.get(at, 0) for at in mine) >= MOST_BYTES
        )

    def _interrupted(self) -> list[Batch]:
        """Cut the planned batches whose records have all been read."""
        batches = []
        for name in {plan.batch for plan in self._plans.values()}:
            mine = {at: plan for at, plan in self._plans.items() if plan.batch == name}
            if all(self._next.get(at, -1) > plan.last for at, plan in mine.items()):
                for at in mine:
                    del self._plans[at]
                batch = self._cut(name, [(at, plan.last) for at, plan in mine.items()])
                if batch.chunks:
                    batches.append(batch)
        return batches

    def _cut(self, name: str, ends: Sequence[tuple[At, int | None]]) -> Batch:
        chunks = []
        for at, last in sorted(ends, key=lambda end: end[0].partition):
            taken = waiting = self._waiting[at]
            if last is not None:
                taken = [record for record in waiting if record.offset <= last]
            self._waiting[at] = left = waiting[len(taken) :]
            self._bytes[at] = _size(left)
            if taken:
                chunks.append(
                    Chunk(at.topic, at.partition, taken[0].offset, taken[-1].offset, taken)
                )
        return Batch(name, chunks)


def _size(records: Sequence[Record]) -> int:
    return sum([len(value) for record in records if (value := record.value) is not None])
