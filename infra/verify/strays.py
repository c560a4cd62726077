"""Rows that are not what the log gives, named one by one: what is missing, too much, or another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.settings import Settings
from infra.verify.log import Reading
from infra.verify.offsets import Extent
from infra.verify.report import NAMED, Check
from infra.verify.rows import STRETCH, Written
from projections.client import connect
from projections.tables import ROUTES

STRETCHES = 200  # that are asked for at once: as many as fit into one statement

At = tuple[int, int]  # a row's offset, and its hash


async def name_them(
    settings: Settings,
    log: Reading,
    written: Written,
    extent: Extent,
    stretches: Sequence[int],
    ours: Mapping[int, At],
    found: Check,
) -> None:
    """Compare the rows of some stretches of offsets by key. `ours`: what the log gives there."""
    with connect(settings, timeout=3_600) as client:
        theirs, newer = _rows(client, written, log.number, extent, stretches)
        for key in sorted(ours.keys() - theirs.keys(), key=lambda key: ours[key]):
            if key in newer and not written.table.keeps_first:
                found.in_flux += 1  # written anew since: it stands at a later offset
            else:
                at = ours[key][0]
                found.differs(await _named(log, at, found), ["no row"])
        for key in sorted(theirs.keys() - ours.keys(), key=lambda key: theirs[key]):
            found.differs(f"offset {theirs[key][0]}", ["a row that the log does not give"])
        for key in sorted(ours.keys() & theirs.keys(), key=lambda key: ours[key]):
            (mine, row), (at, other) = ours[key], theirs[key]
            if mine != at:
                how = [f"its row says offset {at}"]
            elif row == other:
                continue
            elif found.different < NAMED:
                how = await _columns(client, log, written, mine, key)
            else:
                how = ["another row"]
            found.differs(await _named(log, mine, found), how)


def _rows(
    client: Any, written: Written, number: int, extent: Extent, stretches: Sequence[int]
) -> tuple[dict[int, At], set[int]]:
    """Return the rows of some stretches by key, and the keys of those that came since."""
    theirs: dict[int, At] = {}
    place = {"number": number, "begin": extent.begin, "end": extent.committed}
    for start in range(0, len(stretches), STRETCHES):
        rows = client.query(
            f"SELECT {written.key_sql}, log_offset, {written.row_sql}"  # noqa: S608
            f" FROM `{written.table.name}` FINAL WHERE log_partition = {{number:UInt16}}"
            " AND log_offset >= {begin:UInt64} AND log_offset < {end:UInt64}"
            f" AND intDiv(log_offset, {STRETCH}) IN {{stretches:Array(UInt64)}}",
            place | {"stretches": list(stretches[start : start + STRETCHES])},
        ).result_rows
        theirs |= {key: (offset, row) for key, offset, row in rows}
    # After the rows, so that none is replaced in between; without FINAL, which leaves out those
    # that came as deleted.
    came = client.query(
        f"SELECT DISTINCT {written.key_sql} FROM `{written.table.name}`"  # noqa: S608
        " WHERE log_partition = {number:UInt16} AND log_offset >= {end:UInt64}",
        place,
    ).result_rows
    return theirs, {key for (key,) in came}


async def _columns(client: Any, log: Reading, written: Written, offset: int, key: int) -> list[str]:
    """Name the columns in which a row is not what its record gives."""
    record = await log.at(offset)
    rows = [] if record is None else ROUTES[log.topic](record)
    mine = next(
        (row for table, row in rows if table is written.table and written.hash_key(row) == key),
        None,
    )
    found = client.query(
        f"SELECT {written.columns_sql} FROM `{written.table.name}` FINAL"  # noqa: S608
        " WHERE log_partition = {number:UInt16} AND log_offset = {offset:UInt64}"
        f" AND {written.key_sql} = {{key:UInt64}}",
        {"number": log.number, "offset": offset, "key": key},
    ).result_rows
    if mine is None or not found:
        return ["another row"]
    pairs = zip(written.table.columns, written.texts(mine), found[0][0], strict=True)
    return [name for name, ours, theirs in pairs if ours != theirs]


async def _named(log: Reading, offset: int, found: Check) -> str:
    """Return a record's offset and, while differences are told one by one, its key."""
    record = await log.at(offset) if found.different < NAMED else None
    if record is None or record.key is None:
        return f"offset {offset}"
    return f"offset {offset} of {record.key.decode(errors='replace')}"
