"""How two records of a customer differ: fields with counts, never what somebody said."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from models.contracts import Contracts
from models.customer import JUDGED, Customer

# `version` counts changes, and goes on when a customer is written anew.
TOLD: Final = tuple(name for name in Customer.__struct_fields__ if name not in JUDGED | {"version"})
_BUT_CONTRACTS: Final = tuple(name for name in TOLD if name != "contracts")
_sorted = msgspec.json.Encoder(order="deterministic").encode


def written(value: object) -> bytes:
    """Write a value the same however its dicts are ordered; their keys may be numbers."""
    return _sorted(msgspec.json.decode(msgspec.json.encode(value)))


def digest(customer: Customer) -> int:
    """Return a hash of what the log alone decides of a customer."""
    told = written([getattr(customer, name) for name in TOLD])
    return int.from_bytes(blake2b(told, digest_size=8).digest(), "big")


def differing(ours: Customer | None, theirs: Customer | None) -> list[str]:
    """Name the fields in which a live customer is not what the log gives."""
    if ours is None or theirs is None:
        return [] if ours is theirs else ["not by the log" if ours is None else "no live record"]
    unpriced = _unpriced(ours.contracts, theirs.contracts)
    if not unpriced:
        return _fields(TOLD, ours, theirs)
    return [*_fields(_BUT_CONTRACTS, ours, theirs), unpriced]


def _unpriced(ours: Contracts, theirs: Contracts) -> str:
    """Say so when live contracts differ in nothing but words on prices that they lack."""
    if ours == theirs or _without_prices(ours) != _without_prices(theirs):
        return ""
    if any(word not in ours[key].prices for key, one in theirs.items() for word in one.prices):
        return ""
    there, live = (sum(len(one.prices) for one in side.values()) for side in (ours, theirs))
    return (
        f"contracts.prices: {there} by the log, {live} live; who was written before prices were "
        "kept lacks them until `c360 rebuild profiles`"
    )


def _without_prices(contracts: Contracts) -> Contracts:
    return {key: replace(one, prices=[]) for key, one in contracts.items()}


def _fields(names: tuple[str, ...], ours: Any, theirs: Any, path: str = "") -> list[str]:
    found = []
    for name in names:
        a, b = getattr(ours, name), getattr(theirs, name)
        if written(a) == written(b):
            continue
        if isinstance(a, Struct) and type(a) is type(b):
            found += _fields(a.__struct_fields__, a, b, f"{path}{name}.")
        else:
            found.append(f"{path}{name}{_counts(a, b)}")
    return found


def _counts(ours: object, theirs: object) -> str:
    """Return the two numbers, or how many entries there are: never what was said."""
    numbers = [_count(one) for one in (ours, theirs)]
    if None in numbers:
        return ""
    return ": {} by the log, {} live".format(*numbers)


def _count(one: object) -> int | float | None:
    if isinstance(one, bool):
        return None
    if isinstance(one, int | float):
        return one
    return len(one) if isinstance(one, dict | list | tuple | set) else None
