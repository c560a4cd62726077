"""Who carries an identifier on its profile: a way to customers who never were one by themselves.

One customer is told, whoever wrote last: of several the one who had it first, by time, then by
id. What is noted here may be old, so whoever asks looks at what each carries now.
"""

from __future__ import annotations

from collections.abc import Iterable


class Carriers:
    """Customer ids by identifier, "type:value". Most have one: no set is spent on those."""

    def __init__(self) -> None:
        self._of: dict[str, str | tuple[str, ...]] = {}

    def add(self, identifiers: Iterable[str], customer_id: str) -> None:
        """Note that a customer carries these; again is harmless."""
        for identifier in identifiers:
            known = self._of.setdefault(identifier, customer_id)
            if known == customer_id or (isinstance(known, tuple) and customer_id in known):
                continue
            before = known if isinstance(known, tuple) else (known,)
            self._of[identifier] = (*before, customer_id)

    def drop(self, identifiers: Iterable[str], customer_id: str) -> None:
        """Note that a customer carries these no more."""
        for identifier in identifiers:
            known = self._of.get(identifier, ())
            if known == customer_id:
                del self._of[identifier]
            elif isinstance(known, tuple) and customer_id in known:
                left = tuple(one for one in known if one != customer_id)
                self._of[identifier] = left if len(left) > 1 else left[0]

    def of(self, identifier: str) -> tuple[str, ...]:
        """Return all who were noted for an identifier."""
        known = self._of.get(identifier, ())
        return known if isinstance(known, tuple) else (known,)
