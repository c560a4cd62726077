"""What an agent is handed: one partition's next records, as one batch.

Records of a partition come in offset order, a batch never mixes partitions, and
null keys and values arrive as None: deciding what they mean is the agent's part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

Headers = tuple[tuple[str, bytes], ...]


class Record(msgspec.Struct, frozen=True, gc=False):
    """One Kafka record. `timestamp` is in milliseconds since 1970, UTC."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int = 0

    def header(self, name: str) -> bytes | None:
        """Return the first header of that name, or None."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records of one partition, oldest first; never empty.

    `topic` is the catalogue's name, without the deployment's prefix. `tenure` says
    in which span of ownership it was handed out; results of an older one are refused.
    `ends` has the last offset of each delivery, where several waited and became one.
    """

    topic: str
    partition: int
    records: tuple[Record, ...]
    tenure: int = 0
    ends: tuple[int, ...] = ()

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def size(self) -> int:
        """Bytes of its keys and values."""
        return sum([len(one.key or b"") + len(one.value or b"") for one in self.records])

    @property
    def last(self) -> int:
        """Offset of the newest record."""
        return self.records[-1].offset

    def deliveries(self) -> tuple[int, ...]:
        """Return the last offset of each delivery that it holds, in order."""
        return self.ends or (self.last,)


def together(batches: Sequence[Batch]) -> Batch:
    """Make one batch of some of one partition and tenure that follow each other."""
    if len(batches) == 1:
        return batches[0]
    return replace(
        batches[0],
        records=tuple(record for batch in batches for record in batch),
        ends=tuple(end for batch in batches for end in batch.deliveries()),
    )
