"""Customers read or written of late, kept decoded: they come in visits, so the same come again.

What is kept counts only for the very value it was read from or written as. So
nothing has to be told when a batch is refused or a partition changes hands.
"""

from __future__ import annotations

from collections import OrderedDict

from models.customer import Customer, decode, encode

LIMIT = 4_096  # customers: about 13 KiB each, so some 50 MiB


class Known:
    """The newest `limit` customers by key, each with its value."""

    __slots__ = ("_customers", "_limit")

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._customers: OrderedDict[bytes, tuple[bytes, Customer]] = OrderedDict()

    def read(self, key: bytes, value: bytes | None) -> Customer:
        """Return the customer that `value` is; None is one of whom nothing is known yet.

        Raises msgspec.ValidationError on what `encode` did not write.
        """
        if value is None:
            return Customer(customer_id=key.decode())
        kept = self._customers.get(key)
        # `is`: comparing would cost more than it saves, and another object is only read anew.
        if kept is not None and kept[0] is value:
            return kept[1]
        return decode(value)

    def write(self, key: bytes, customer: Customer) -> bytes:
        """Return the customer's value, and keep the customer as it stands."""
        value = encode(customer)
        self._customers[key] = (value, customer)
        self._customers.move_to_end(key)
        if len(self._customers) > self._limit:
            self._customers.popitem(last=False)
        return value
