"""Rows into ClickHouse: a batch whole, or the one record that it refuses found and set aside.

An insert carries a token that names exactly the records it was made from, so that the
same batch again adds nothing; a row's own key is the second net.
"""

from __future__ import annotations

import hashlib
import logging
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.compression import get_compressor
from clickhouse_connect.driver.exceptions import (
    ClickHouseError,
    DataError,
    Error,
    ProgrammingError,
)
from tenacity import Retrying, retry_if_exception_type, wait_random_exponential

from models.topics import Topic
from projections import dead_rows
from projections.blocks import Blocks, blocks
from projections.client import is_away
from projections.rows.native import block
from projections.table import Record, Table

_log = logging.getLogger(__name__)
# A batch in which more than this is refused meets another schema than the code's.
MOST_REFUSED = 50
# The server says: not this value.
_REFUSED: Final = frozenset({6, 26, 27, 38, 41, 53, 69, 70, 72, 131, 321, 349, 407, 436, 691})
_CLIENT_REFUSED: Final = (
    DataError,
    ProgrammingError,
    ValueError,
    TypeError,
    ArithmeticError,
    AttributeError,
    struct.error,
)


class UnavailableError(RuntimeError):
    """ClickHouse does not answer, or asks to come again later."""


class SchemaMismatchError(RuntimeError):
    """ClickHouse refuses what the code writes: the schema is another one."""


class _RefusedError(ValueError):
    """ClickHouse, or its client, takes no such value."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive records of one partition: `first` to `last` offset, some perhaps compacted."""

    topic: Topic
    partition: int
    first: int
    last: int
    records: Sequence[Record]

    @property
    def name(self) -> str:
        """Names exactly these records, also against a topic of the same name made anew."""
        times = f"{self.records[0].timestamp}-{self.records[-1].timestamp}" if self.records else ""
        return f"{self.topic.name}-{self.partition}-{self.first}-{self.last}-{times}"


class Loader:
    """Writes chunks of one topic to its tables, each record once."""

    def __init__(self, connect: Callable[[], Client], database: str) -> None:
        self._connect = connect
        self._client: Client | None = None
        self._database = database

    def load(self, chunks: Sequence[Chunk]) -> int:
        """Insert what the chunks (of one topic) say; return how many rows were acknowledged.

        Raises UnavailableError (try the same again) or SchemaMismatchError (do not).
        """
        topic = chunks[0].topic
        records = [record for chunk in chunks for record in chunk.records]
        token = hashlib.blake2b("/".join(chunk.name for chunk in chunks).encode(), digest_size=16)
        return self._load(topic, records, token.hexdigest(), budget=[MOST_REFUSED])

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _load(self, topic: Topic, records: Sequence[Record], token: str, budget: list[int]) -> int:
        try:
            made = _made(topic, records)
            for table, of_table in made.items():
                self._insert(table, of_table.written, token)
            return sum(of_table.rows for of_table in made.values())
        except _RefusedError as refused:
            if len(records) == 1:
                return self._set_aside(topic, records[0], token, refused, budget)
        middle = len(records) // 2
        return self._load(topic, records[:middle], f"{token}0", budget) + self._load(
            topic, records[middle:], f"{token}1", budget
        )

    def _set_aside(
        self, topic: Topic, record: Record, token: str, refused: Exception, budget: list[int]
    ) -> int:
        where = f"{topic.name}/{record.partition}/{record.offset}"
        budget[0] -= 1
        if budget[0] < 0:
            raise SchemaMismatchError(
                f"over {MOST_REFUSED} records of one batch refused, the last {where}: {refused}"
            ) from refused
        _log.error("no row can be made of %s: %s", where, refused)
        row = dead_rows.to_row(topic.name, record, str(refused))
        written = block(dead_rows.TABLE.names, dead_rows.TABLE.sent, [row])
        self._insert(dead_rows.TABLE, [written], token)
        return 1

    def _insert(self, table: Table, written: Sequence[bytes], token: str) -> None:
        try:
            if self._client is None:
                self._client = self._connect()
            compression = self._client.write_compression
            body = b"".join((table.insert(self._database), *written))
            self._client.raw_insert(
                insert_block=get_compressor(compression).compress_block(body),
                compression=compression,
                settings={"insert_deduplication_token": token},
            )
        except (ClickHouseError, *_CLIENT_REFUSED, OSError) as error:
            raise _told_apart(error) from error


def _made(topic: Topic, records: Sequence[Record]) -> dict[Table, Blocks]:
    try:
        return blocks(topic, records)
    except _CLIENT_REFUSED as error:
        raise _RefusedError(str(error)) from error


def _told_apart(error: Exception) -> Exception:
    """Return what an insert's failure means: come again, not this value, or another schema."""
    said = " ".join(str(error).split("Stack trace", 1)[0].split())[:1_000]
    code = error.code if isinstance(error, Error) else None
    if code in _REFUSED:
        return _RefusedError(said)
    if code is None and isinstance(error, _CLIENT_REFUSED):
        return _RefusedError(said)
    if is_away(error):
        return UnavailableError(said)
    return SchemaMismatchError(f"{said}; `c360 migrate` brings the database up to date")


def patiently(sleep: Callable[[float], None]) -> Retrying:
    """Retry while ClickHouse is unavailable, for ever: 0.1 s at first, then up to 10 s."""
    return Retrying(
        retry=retry_if_exception_type(UnavailableError),
        wait=wait_random_exponential(multiplier=0.2, max=10),
        sleep=sleep,
        before_sleep=lambda state: _log.warning(
            "ClickHouse is not available (attempt %d): %s",
            state.attempt_number,
            state.outcome.exception() if state.outcome else "",
        ),
        reraise=True,
    )
