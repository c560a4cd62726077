"""Prefix search over sorted terms that change all the time.

Kept in short sorted lists, one after the other: to add, to discard or to find one touches one or
two of them. A single list of a million customers' terms took seconds to sort, and all reads waited.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import islice
from typing import Final

LONGEST: Final = 512  # entries of a list: more are two
# A term and its customer in one text: in texts nobody looks for garbage, as in tuples.
_BETWEEN: Final = "\0"


class PrefixIndex:
    """Terms of customers, found by how they begin."""

    def __init__(self) -> None:
        self._lists: list[list[str]] = [[]]
        # Nothing in a list is below its start, or above the next one's.
        self._starts = [""]

    def __len__(self) -> int:
        return sum(map(len, self._lists))

    def add(self, term: str, customer_id: str) -> None:
        """List a term; again is harmless."""
        entry = term + _BETWEEN + customer_id
        number = bisect_right(self._starts, entry) - 1
        entries = self._lists[number]
        at = bisect_left(entries, entry)
        if entries[at : at + 1] == [entry]:
            return
        entries.insert(at, entry)
        if len(entries) > LONGEST:
            half = len(entries) // 2
            self._lists.insert(number + 1, entries[half:])
            self._starts.insert(number + 1, entries[half])
            del entries[half:]

    def discard(self, term: str, customer_id: str) -> None:
        """List a term no more; one that is not listed is harmless."""
        entry = term + _BETWEEN + customer_id
        number = bisect_right(self._starts, entry) - 1
        entries = self._lists[number]
        at = bisect_left(entries, entry)
        if entries[at : at + 1] != [entry]:
            return
        del entries[at]
        if not entries and number:
            del self._lists[number], self._starts[number]

    def find(self, prefix: str, limit: int) -> list[str]:
        """Return at most `limit` customer ids, by term in order, each once."""
        found: dict[str, None] = {}
        for entry in self._from(prefix):
            term, _, customer_id = entry.rpartition(_BETWEEN)
            if len(found) >= limit or not term.startswith(prefix):
                break
            found[customer_id] = None
        return list(found)

    def _from(self, prefix: str) -> Iterator[str]:
        number = bisect_right(self._starts, prefix) - 1
        at = bisect_left(self._lists[number], prefix)
        yield from islice(self._lists[number], at, None)
        for entries in islice(self._lists, number + 1, None):
            yield from entries
