"""One customer's whole state: what the fold keeps, and the value on `profiles`.

One record a customer, so that profile, score, offer and open episodes change
together or not at all: a kill between two writes cannot part them.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct, field

from models.profile import Profile
from models.records import Decision, Features, Score
from models.terms import Contract
from models.visits import Rhythm


class Pending(Struct, frozen=True, array_like=True, gc=False):
    """A prediction that waits for its label, due at `due_ms`; written as an array."""

    at_ms: int
    due_ms: int
    probability: float
    model_version: int
    features: Features
    horizon: str  # what its label means
    met_ms: int = 0  # the first contact, or the end of the last contract, within it; 0: none yet
    acted: bool = False  # an offer was shown since, or an alert is or was open
    past: bool = False  # made of a past while it was read in: nobody was told
    weight: float = 1.0  # what its example will count (models.overlap)


class Awaited(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A decision whose outcome is awaited until `due_ms`, and what followed it so far."""

    decision_id: str
    arm: str
    at_ms: int
    due_ms: int
    propensity: float
    model_version: int
    policy: str
    features: Features
    # What the catalogue said when it was made.
    rule: Literal["any", "shown", "claimed"] = "any"  # which orders count
    coupon: str = ""
    currency: str = "USD"
    value: float = 0.0
    cost: float = 0.0
    limited: bool = False  # a unit was reserved for it
    # What followed.
    shown: bool = False
    claimed: bool = False  # accepted, or bought with its coupon or decision id
    known: int = 0  # orders that count and whose margin is known
    unknown: int = 0  # other orders that count
    earned: int = 0  # by the known ones, in minor units


class Episode(Struct, frozen=True, omit_defaults=True, gc=False):
    """The newest episode of one alert rule. `number` counts them, from 1."""

    number: int
    status: Literal["open", "closed"]
    opened_ms: int
    closed_ms: int | None = None
    outcome: str | None = None
    model: str = "churn"  # by whose score it was opened
    owner: str = ""  # customer id it was opened under, when another one than this; goes back there


EARLY = -1  # `Regroup.until`: others told of the regrouping before the log did
TAKEN = -2  # `Regroup.until`: the own part is in


class Regroup(Struct, frozen=True, array_like=True, gc=False):
    """A customer being put together anew from the log, after an unmerge; written as an array."""

    until: int  # its own part ends before this offset of its partition; or EARLY, TAKEN
    others: int  # other members' parts still to come; below 0: come before their number was told


class Customer(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """All that is known and pending about one customer."""

    customer_id: str
    offset: int = -1  # newest offset of this customer's `events` partition applied
    version: int = 0  # changes so far: the ETag, and what ClickHouse keeps the highest of
    # Newest offset applied from each log that feeds the events ("touchpoints/3",
    # "events/5" for forwarded ones): a crash upstream repeats events, this skips them.
    applied: dict[str, int] = field(default_factory=dict)
    seen: str = ""  # newest event ids, as `models.seen` marks them
    clock_ms: int = 0  # the customer's own time: newest event or timer applied
    received_ms: int = 0  # when the newest event reached us
    observed_until_ms: int | None = None  # a backfill's end: silence after it means nothing
    generation: int = -1  # of the regrouping that all gathered here stands on; -1: none
    towards: int = -1  # a pointer's: generation of the group that it forwards within
    regroup: Regroup | None = None  # parts are still to come: incomplete, and not judged
    merged_into: str | None = None  # everything is forwarded there
    forwarded: int = -1  # newest offset of this customer's partition that was sent on there
    absorbed: list[str] = field(default_factory=list)
    profile: Profile = Profile()
    rhythm: Rhythm = Rhythm()  # of contacts the customer made
    contracts: dict[str, Contract] = field(default_factory=dict)  # by subscription id
    risk: Score | None = None
    offer: Decision | None = None
    offers_made: dict[str, int] = field(default_factory=dict)  # offer -> times decided, for caps
    offers_taken: dict[str, int] = field(default_factory=dict)  # of them, under other ids
    contacted: list[int] = field(default_factory=list)  # when the newest offers were made, ms
    pending: list[Pending] = field(default_factory=list)
    awaited: list[Awaited] = field(default_factory=list)
    episodes: dict[str, Episode] = field(default_factory=dict)  # by rule
    raised: dict[str, int] = field(default_factory=dict)  # rule -> own episodes before this one
    timers: dict[str, int] = field(default_factory=dict)  # name -> due, ms


# The fields that follow from models and their time as well, not from the log alone.
JUDGED = frozenset(
    (
        *("risk", "offer", "offers_made", "offers_taken", "contacted", "pending", "awaited"),
        *("episodes", "raised", "timers"),
    )
)
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Customer)


def encode(customer: Customer) -> bytes:
    """Write a customer as the JSON that `profiles` carries."""
    return _encoder.encode(customer)


def decode(value: bytes | str) -> Customer:
    """Read what `encode` wrote. Raises msgspec.ValidationError on anything else."""
    return _decoder.decode(value)
