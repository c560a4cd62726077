"""Rows of many records by table: one record's after the other's, whatever makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

# What reading a record of a wrong shape raises; anything else is a fault of ours.
UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError)


def gathered(
    records: list[Any],
    project: Callable[[Any], Any],
    unreadable: Callable[[Any, Exception], Any],
) -> dict[Any, list[Any]]:
    """Return rows by table: those that `project` makes of a record, or else `unreadable`."""
    rows: dict[Any, list[Any]] = {}
    for record in records:
        try:
            made = project(record)
        except UNREADABLE as error:
            made = unreadable(record, error)
        for pair in made:
            table, row = pair
            of = rows.get(table)
            if of is None:
                rows[table] = [row]
            else:
                of.append(row)
    return rows
