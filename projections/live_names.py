"""By what each customer is found: identifiers that he carries, and how his names begin.

Kept in step with the records: whoever takes one in, or forgets one, says so here.
"""

from __future__ import annotations

from projections.live_carriers import Carriers
from projections.live_glance import Glance, digits, terms
from projections.live_search import PrefixIndex


class Names:
    """The identifiers and names of all customers."""

    def __init__(self) -> None:
        self._carriers = Carriers()
        self._index = PrefixIndex()

    def __len__(self) -> int:
        return len(self._index)

    def carriers(self, identifier: str) -> tuple[str, ...]:
        """Return all who were noted for an identifier, "type:value"."""
        return self._carriers.of(identifier)

    def find(self, text: str, limit: int) -> list[str]:
        """Return at most `limit` customers of whom a name, e-mail or telephone begins so."""
        found: dict[str, None] = {}
        for prefix in dict.fromkeys((text.casefold(), _telephone(text))):
            if prefix and len(found) < limit:
                found |= dict.fromkeys(self._index.find(prefix, limit))
        return list(found)[:limit]

    def replace(self, customer_id: str, before: Glance | None, now: Glance) -> None:
        """Note what a customer is found by now, and no more what it was found by before."""
        if before is not None and _is_named_alike(before, now):
            return
        self._list(customer_id, before, now)
        if now.merged_into is not None:
            return  # who it was merged into has its identifiers soon: until then it leads there
        had = before.profile.identifiers.keys() if before else set()
        has = now.profile.identifiers.keys()
        self._carriers.drop(had - has, customer_id)
        self._carriers.add(has - had, customer_id)

    def forget(self, customer_id: str, before: Glance) -> None:
        """Note that a customer is no more."""
        self._carriers.drop(before.profile.identifiers, customer_id)
        self._list(customer_id, before, None)

    def _list(self, customer_id: str, before: Glance | None, now: Glance | None) -> None:
        had, has = terms(before) if before else set(), terms(now) if now else set()
        for term in had - has:
            self._index.discard(term, customer_id)
        for term in has - had:
            self._index.add(term, customer_id)


def _is_named_alike(one: Glance, other: Glance) -> bool:
    return (
        one.profile.identifiers == other.profile.identifiers
        and one.profile.traits == other.profile.traits
        and one.merged_into == other.merged_into
    )


def _telephone(text: str) -> str:
    """Read `text` as a telephone number: empty when it is none."""
    return digits(text) if set(text) <= set("0123456789+-() .") else ""
