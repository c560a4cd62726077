"""What a read model's table looks like, as the code expects it.

Every table is a ReplacingMergeTree whose key names the record that a row came
from, so that a record projected twice is there once (read with FINAL).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol

from models.events.base import MILLISECOND
from models.events.clock import EPOCH
from projections.rows.kinds import LABEL

Row = tuple[object, ...]
# Of two rows with one key the lowest offset stands: ClickHouse makes `precedence` of it.
FIRST = "ReplacingMergeTree(precedence)"


class Record(Protocol):
    """One record of a topic: what projecting reads of a client's ConsumerRecord."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    timestamp: int


@dataclass(frozen=True, eq=False)
class Table:
    """A ClickHouse table: the columns this code writes, in order, and what replaces what."""

    name: str
    columns: dict[str, str]
    engine: str
    order_by: str
    partition_by: str = ""

    @property
    def keeps_first(self) -> bool:
        """Whether of two rows with one key the one that came first stands, not the newest."""
        return self.engine == FIRST

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in the order of a row."""
        return tuple(self.columns)

    @cached_property
    def sent(self) -> tuple[str, ...]:
        """The columns' types as they are sent: ClickHouse looks labels up quicker than Python."""
        return tuple("String" if kind == LABEL else kind for kind in self.columns.values())

    def insert(self, database: str) -> bytes:
        """Return the statement that blocks of rows follow."""
        names = ", ".join(f"`{name}`" for name in self.columns)
        return f"INSERT INTO `{database}`.`{self.name}` ({names}) FORMAT Native\n".encode()


Projected = Sequence[tuple[Table, Row]]


def to_ms(at: datetime) -> int:
    """Return a time that ClickHouse gave, in UTC but without saying so, as ms since 1970."""
    return (at.replace(tzinfo=UTC) - EPOCH) // MILLISECOND
