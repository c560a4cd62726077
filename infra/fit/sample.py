"""A sample of the customers, as `profiles` has them: who is in it follows from the ids alone.

Read partition by partition beside everything else; memory is bounded by MOST customers,
however many there are.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec
from msgspec import Raw, Struct, field

from infra.admin import partitions
from infra.settings import Settings
from infra.verify.log import Reading
from models.rhythm import DAY_MS
from models.terms import Contract
from models.topics import PROFILES
from models.visits import Rhythm

MOST = 50_000


class Bought(Struct):
    """The fields of a profile that say what was bought."""

    orders: int = 0
    order_days: list[int] = field(default_factory=list)
    orders_by_currency: dict[str, int] = field(default_factory=dict)
    revenue: dict[str, int] = field(default_factory=dict)
    refunded: dict[str, int] = field(default_factory=dict)


class One(Struct):
    """The fields of a customer's record that parameters are fitted to."""

    merged_into: str | None = None
    regroup: Raw | None = None
    clock_ms: int = 0
    observed_until_ms: int | None = None
    rhythm: Rhythm = Rhythm()
    contracts: dict[str, Contract] = field(default_factory=dict)
    profile: Bought = field(default_factory=Bought)

    def seen_until(self, now_ms: int) -> int:
        """Return as of when (ms) silence counts: now, or a backfill's end if nothing came after."""
        end = self.observed_until_ms
        until = now_ms if end is None or self.clock_ms > end else min(now_ms, end)
        return max(until, self.rhythm.last_ms or 0)


_decode = msgspec.json.Decoder(One).decode


class Sample:
    """Customers by id, at most `most`: those whose ids hash lowest."""

    def __init__(self, most: int = MOST) -> None:
        self.customers: dict[bytes, One] = {}
        self.share = 1.0  # of all customers
        self._most = most

    def take(self, key: bytes, value: bytes | None) -> None:
        """Take the newest record of a customer; an empty one takes him away."""
        if _place(key) >= self.share:
            return
        self.customers.pop(key, None)
        if not value:
            return
        one = _decode(value)
        if one.merged_into is None and one.regroup is None and one.rhythm.first_ms is not None:
            self.customers[key] = one
            if len(self.customers) > self._most:
                self._halve()

    def _halve(self) -> None:
        self.share /= 2
        kept = (item for item in self.customers.items() if _place(item[0]) < self.share)
        self.customers = dict(kept)


def _place(key: bytes) -> float:
    """Return where in [0, 1) an id stands, for good."""
    digest = blake2b(key, digest_size=8, person=b"fit").digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


async def read(settings: Settings, most: int = MOST) -> Sample:
    """Return a sample of the customers as they are now. Raises KafkaError."""
    sample = Sample(most)
    for number in range(partitions(PROFILES, settings)):
        async with Reading(settings, PROFILES, number) as reading:
            async for records in reading.upto(await reading.end()):
                for record in records:
                    sample.take(record.key or b"", record.value)
    return sample


def days(from_ms: int, to_ms: int) -> float:
    """Return the days from one time (ms) to another, none below 0."""
    return max(0, to_ms - from_ms) / DAY_MS
