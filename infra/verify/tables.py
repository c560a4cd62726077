"""A ClickHouse table against the topic that it is made of: each row there, once, and the same.

ClickHouse hashes its rows by itself, in one look at each table, so that all of it is as of one
moment; the log is projected anew up to where the projection had come, and hashed alike.
Where a stretch of offsets differs, its rows are compared one by one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np
from clickhouse_connect.driver.client import Client

from infra.settings import Settings
from infra.verify.expected import Expected, by_stretch
from infra.verify.log import Found, Reading
from infra.verify.offsets import Extent, Extents
from infra.verify.report import Check, Side
from infra.verify.rows import STRETCH, Written
from infra.verify.strays import name_them
from infra.verify.work import Tell
from models.topics import Topic
from projections import dead_rows
from projections.client import connect
from projections.rows.gathering import UNREADABLE
from projections.table import Table
from projections.tables import ROUTES, SOURCES

_TIMEOUT: Final = 3_600  # s: a look at a large table takes a while


class Snapshot(NamedTuple):
    """What a table has of one partition: count and hash by stretch, and the keys beyond the end."""

    stretches: Mapping[int, tuple[int, int]]
    newer: list[int]  # hashes of the keys of rows that came since


def fed_by(topic: Topic) -> list[Table]:
    """Return the tables that a topic's records become rows of."""
    return [table for table, source in SOURCES.items() if source == topic]


def look(settings: Settings, extents: Extents) -> dict[tuple[str, int], Snapshot]:
    """Look at every table once; return what each has, by table and partition."""
    with connect(settings, timeout=_TIMEOUT) as client:
        return {
            (table.name, number): snapshot
            for table, topic in SOURCES.items()
            for number, snapshot in _look(client, table, topic, extents).items()
        }


def _look(client: Client, table: Table, topic: Topic, extents: Extents) -> dict[int, Snapshot]:
    written = Written(table)
    places = {number: extent for (of, number), extent in extents.items() if of == topic}
    numbers = "{numbers:Array(UInt16)}"
    begin = f"transform(log_partition, {numbers}, {{begins:Array(UInt64)}}, toUInt64(0))"
    end = f"transform(log_partition, {numbers}, {{ends:Array(UInt64)}}, toUInt64(0))"
    rows = client.query(
        "SELECT number, stretch, count(), sum(row), groupArrayIf(key, stretch < 0) FROM ("  # noqa: S608
        f"SELECT log_partition AS number, {written.row_sql} AS row, {written.key_sql} AS key,"
        f" if(log_offset >= {end}, -1, toInt64(intDiv(log_offset, {STRETCH}))) AS stretch"
        f" FROM `{table.name}` FINAL WHERE log_offset >= {begin}"
        ") GROUP BY number, stretch",
        {
            "numbers": list(places),
            "begins": [one.begin for one in places.values()],
            "ends": [one.committed for one in places.values()],
        },
    ).result_rows
    found: dict[int, Snapshot] = {number: Snapshot({}, []) for number in places}
    for number, stretch, count, total, newer in rows:
        if number not in found:
            continue
        if stretch < 0:
            found[number] = Snapshot(found[number].stretches, list(newer))
        else:
            found[number].stretches[stretch] = (count, total)  # type: ignore[index]
    return found


def set_aside(settings: Settings) -> dict[tuple[str, int], frozenset[int]]:
    """Return the offsets of records that no row could be made of, by bare topic and partition."""
    with connect(settings, timeout=_TIMEOUT) as client:
        rows = client.query(
            "SELECT topic, log_partition, groupUniqArray(log_offset)"  # noqa: S608
            f" FROM `{dead_rows.TABLE.name}` FINAL GROUP BY topic, log_partition"
        ).result_rows
    return {(topic, number): frozenset(offsets) for topic, number, offsets in rows}


async def check(
    settings: Settings,
    topic: Topic,
    partition: int,
    extent: Extent,
    snapshots: Mapping[str, Snapshot],
    aside: frozenset[int],
    tell: Tell,
) -> list[Check]:
    """Compare one partition of a topic with its rows, table by table."""
    tables = fed_by(topic)
    expected = {table: Expected(table) for table in tables}
    checks = {
        table: Check(
            part="clickhouse", where=f"clickhouse:{table.name}/{partition}", until=extent.committed
        )
        for table in tables
    }
    first = checks[tables[0]]
    async with Reading(settings, topic, partition) as log:
        async for record in records(log, extent.committed, tell):
            if record.offset in aside:
                first.notes.append(f"set aside in dead_rows: offset {record.offset}")
                continue
            try:
                rows = ROUTES[topic](record)
            except UNREADABLE:
                first.differs(str(record.offset), ["neither a row nor set aside in dead_rows"])
                continue
            for table, row in rows:
                expected[table].add(row)
        for table in tables:
            snapshot = snapshots[table.name]
            await _compare(settings, log, extent, expected[table], snapshot, checks[table])
    if extent.end > extent.committed:
        first.notes.append(f"{extent.end - extent.committed:,} records are not projected yet")
    return list(checks.values())


async def records(log: Reading, end: int, tell: Tell) -> AsyncIterator[Found]:
    """Yield a partition's records; of a compacted topic each key's newest alone."""
    newest: dict[bytes | None, Found] = {}
    async for some in log.upto(end):
        tell(len(some))
        for raw in some:
            found = log.found(raw)
            if log.topic.compacted:
                newest[found.key] = found
            else:
                yield found
    for found in newest.values():
        yield found


async def _compare(
    settings: Settings,
    log: Reading,
    extent: Extent,
    expected: Expected,
    snapshot: Snapshot,
    found: Check,
) -> None:
    keys, offsets, rows, found.in_flux = expected.newest(snapshot.newer)
    ours = by_stretch(offsets, rows)
    for side, stretches in ((found.expected, ours), (found.found, snapshot.stretches)):
        _sum(side, stretches.values())
    wrong = {
        at
        for at in ours.keys() | snapshot.stretches.keys()
        if ours.get(at) != snapshot.stretches.get(at)
    }
    if wrong:
        there = np.isin(offsets // STRETCH, np.fromiter(wrong, np.uint64))
        mine = {
            int(key): (int(offset), int(row))
            for key, offset, row in zip(keys[there], offsets[there], rows[there], strict=True)
        }
        await name_them(settings, log, expected.written, extent, sorted(wrong), mine, found)


def _sum(side: Side, stretches: Iterable[tuple[int, int]]) -> None:
    for count, total in stretches:
        side.count += count
        side.hash = (side.hash + total) & 0xFFFFFFFFFFFFFFFF
