"""The rows that the log gives of one table and partition, as hashes: 26 bytes a row."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any

import numpy as np

from infra.verify.rows import STRETCH, Written
from projections.table import Row, Table


class Expected:
    """The rows of one table and partition that the log gives, as hashes."""

    def __init__(self, table: Table) -> None:
        self.written = Written(table)
        self._keys, self._offsets, self._rows = array("Q"), array("Q"), array("Q")
        self._deleted = array("B")

    def add(self, row: Row) -> None:
        """Take in one row."""
        written = self.written
        self._keys.append(written.hash_key(row))
        self._offsets.append(row[written.offset])  # type: ignore[arg-type]
        self._rows.append(written.hash_row(row))
        self._deleted.append(written.deleted is not None and bool(row[written.deleted]))

    def newest(self, but: Iterable[int]) -> tuple[Any, Any, Any, int]:
        """Return keys, offsets and hashes of the rows that stand; how many were written anew since.

        Of two rows with one key the later offset stands, or the first, as the table says. `but`:
        keys with a row beyond the end, which replaces ours unless the first stands.
        """
        keys, offsets, rows = (
            np.frombuffer(one, np.uint64) if len(one) else np.zeros(0, np.uint64)
            for one in (self._keys, self._offsets, self._rows)
        )
        first = self.written.table.keeps_first
        order = np.lexsort((~offsets if first else offsets, keys))
        keys, offsets, rows = keys[order], offsets[order], rows[order]
        last = np.ones(len(keys), bool)
        last[:-1] = keys[1:] != keys[:-1]
        there = np.frombuffer(self._deleted, np.uint8)[order] == 0 if len(keys) else last
        stands = last & there
        since = np.isin(keys, np.fromiter(() if first else but, np.uint64))
        kept = stands & ~since
        return keys[kept], offsets[kept], rows[kept], int((stands & since).sum())


def by_stretch(offsets: Any, rows: Any) -> dict[int, tuple[int, int]]:
    """Return count and sum of hashes by stretch."""
    if not len(offsets):
        return {}
    order = np.argsort(offsets, kind="stable")
    stretches = (offsets[order] // STRETCH).astype(np.int64)
    begins = np.flatnonzero(np.append(True, stretches[1:] != stretches[:-1]))
    sums = np.add.reduceat(rows[order], begins)  # it wraps, as ClickHouse's does
    counts = np.diff(np.append(begins, len(offsets)))
    return {
        int(at): (int(count), int(total))
        for at, count, total in zip(stretches[begins], counts, sums, strict=True)
    }
