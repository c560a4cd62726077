"""Prefix search over a sorted list, made for terms that change all the time.

A term that a customer has no more stays listed until the next merge of the lists:
whoever reads a hit checks it against what the customer has now (`holds`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from heapq import merge

FRESH = 4_096  # terms kept apart, so that adding one does not move a long list


class PrefixIndex:
    """Terms of customers, found by how they begin."""

    def __init__(self, holds: Callable[[str, str], bool]) -> None:
        """`holds(term, customer_id)` tells whether the customer still has the term."""
        self._holds = holds
        self._settled: list[tuple[str, str]] = []
        self._fresh: set[tuple[str, str]] = set()

    def add(self, term: str, customer_id: str) -> None:
        """List a term; again is harmless."""
        self._fresh.add((term, customer_id))

    def find(self, prefix: str, limit: int) -> list[str]:
        """Return at most `limit` customer ids, by term in order, each once."""
        self._settle()
        found: dict[str, None] = {}
        for term, customer_id in self._from(prefix):
            if len(found) >= limit:
                break
            if self._holds(term, customer_id):
                found[customer_id] = None
        return list(found)

    def _from(self, prefix: str) -> Iterator[tuple[str, str]]:
        start = bisect_left(self._settled, (prefix, ""))
        settled = (self._settled[at] for at in range(start, len(self._settled)))
        recent = sorted(pair for pair in self._fresh if pair[0].startswith(prefix))
        for pair in merge(settled, recent):
            if not pair[0].startswith(prefix):
                return
            yield pair

    def _settle(self) -> None:
        if len(self._fresh) <= FRESH:
            return
        both = {*self._settled, *self._fresh}
        self._settled = sorted(pair for pair in both if self._holds(*pair))
        self._fresh.clear()
