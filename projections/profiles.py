"""The `profiles` read model: each customer's newest state.

The newest record of the topic wins; a null value (an erasure) takes the row away.
A merged customer's row stays and says into whom; the views leave it out.
"""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from models.money import exponent
from models.profile import Profile
from models.traits.moods import interests, mood
from projections.profile_part import CustomerPart, Said, read
from projections.rows.kinds import LABEL, MILLISECONDS, MONEY, POSITION
from projections.table import Projected, Record, Row, Table

_COUNTS = "Map(LowCardinality(String), UInt64)"
_MONEYS = f"Map(LowCardinality(String), {MONEY})"
_TEXTS = "Map(LowCardinality(String), String)"

TABLE = Table(
    name="profiles",
    columns={
        "customer_id": "String",
        "is_deleted": "UInt8",
        "version": "UInt64",
        "merged_into": "String",
        "complete": "UInt8",
        "observed_until": f"Nullable({MILLISECONDS})",
        "updated_at": MILLISECONDS,
        "clock": MILLISECONDS,
        "first_seen": f"Nullable({MILLISECONDS})",
        "last_seen": f"Nullable({MILLISECONDS})",
        "events": "UInt64",
        "events_by_type": _COUNTS,
        "events_by_channel": _COUNTS,
        "orders": "UInt64",
        "units": "UInt64",
        "revenue": _MONEYS,
        "refunded": _MONEYS,
        "margin": _MONEYS,
        "refunds": "UInt64",
        "first_order": f"Nullable({MILLISECONDS})",
        "last_order": f"Nullable({MILLISECONDS})",
        "order_days": "Array(UInt32)",
        "orders_by_currency": _COUNTS,
        "interests": _COUNTS,
        "interests_now": "Map(LowCardinality(String), Float64)",
        "open_tickets": "UInt32",
        "feedback": "Map(LowCardinality(String), Float64)",
        "sentiment": "Nullable(Float64)",
        "sentiment_at": f"Nullable({MILLISECONDS})",
        "sentiment_mean": "Nullable(Float64)",
        "sentiment_texts": "UInt32",
        "messages_sent": "UInt64",
        "messages_opened": "UInt64",
        "messages_clicked": "UInt64",
        "offers_shown": "UInt64",
        "offers_accepted": "UInt64",
        "offers_declined": "UInt64",
        "wait_seconds": "Float64",
        "consents": "Map(LowCardinality(String), UInt8)",
        "tiers": _TEXTS,
        "points": "Map(LowCardinality(String), Int64)",
        "subscription": LABEL,
        "attribution_first": LABEL,
        "attribution_last": LABEL,
        "churn_probability": "Nullable(Float64)",
        "churn_band": LABEL,
        "churn_horizon": LABEL,
        "churn_at": f"Nullable({MILLISECONDS})",
        "churn_model_version": "UInt64",
        "churn_reasons": "Array(LowCardinality(String))",
        "offer": LABEL,
        "offer_channel": LABEL,
        "offer_expires": f"Nullable({MILLISECONDS})",
        "holdout": "UInt8",
        "open_alerts": "Array(LowCardinality(String))",
        "identifiers": "Array(String)",
        "traits": "Map(String, String)",
        **POSITION,
    },
    # Not `version`: a customer who is erased and comes back begins again at version 1.
    engine="ReplacingMergeTree(log_offset, is_deleted)",
    order_by="customer_id",
)
_EMPTY = CustomerPart(customer_id="")


def project(record: Record) -> Projected:
    """Return the row of one record of `profiles`; a null value becomes a deleted one."""
    if record.key is None:
        raise ValueError("a profile without a key")
    if record.value is None:
        row = to_row(_EMPTY, record.partition, record.offset)
        return ((TABLE, (record.key.decode(), 1, *row[2:])),)
    return ((TABLE, to_row(read(record.value), record.partition, record.offset)),)


def to_row(customer: CustomerPart, partition: int, offset: int) -> Row:
    """Lay a customer out in the table's column order."""
    profile, risk, offer = customer.profile, customer.risk, customer.offer
    whole = cast(Profile, profile)  # has all that is read of one here
    return (
        customer.customer_id,
        0,
        customer.version,
        customer.merged_into or "",
        int(customer.regroup is None),
        customer.observed_until_ms,
        customer.received_ms,
        customer.clock_ms,
        profile.first_seen_ms,
        profile.last_seen_ms,
        profile.events,
        profile.events_by_type,
        profile.events_by_channel,
        profile.orders,
        profile.items,
        _money(profile.revenue),
        _money(profile.refunded),
        _money(profile.margin),
        profile.refunds,
        profile.first_order_ms,
        profile.last_order_ms,
        profile.order_days,
        profile.orders_by_currency,
        profile.interests,
        {one.category: one.weight for one in interests(whole, customer.clock_ms)},
        len(profile.open_tickets),
        {kind: float(said.value or 0) for kind, said in profile.feedback.items()},
        *_mood(whole, customer.clock_ms),
        profile.messages_sent,
        profile.messages_opened,
        profile.messages_clicked,
        profile.offers_shown,
        profile.offers_accepted,
        profile.offers_declined,
        profile.wait_seconds,
        {purpose: int(bool(given.value)) for purpose, given in profile.consents.items()},
        _texts(profile.tiers),
        profile.points,
        _text(profile.subscription),
        _text(profile.attribution_first),
        _text(profile.attribution_last),
        risk.probability if risk else None,
        risk.band if risk else "",
        risk.horizon if risk else "",
        risk.at_ms if risk else None,
        risk.model_version if risk else 0,
        [reason.feature for reason in risk.reasons] if risk else [],
        offer.offer if offer else "",
        (offer.channel or "") if offer else "",
        offer.expires_ms if offer else None,
        int(offer.holdout) if offer else 0,
        [rule for rule, episode in customer.episodes.items() if episode.status == "open"],
        list(profile.identifiers),
        _texts(profile.traits),
        partition,
        offset,
    )


def _mood(profile: Profile, at_ms: int) -> Row:
    found = mood(profile, at_ms)
    if found is None:
        return (None, None, None, 0)
    return (found.newest.value, found.newest.at_ms, found.mean, found.said)


def _money(minor: dict[str, int]) -> dict[str, Decimal]:
    return {code: Decimal(amount).scaleb(-exponent(code)) for code, amount in minor.items()}


def _texts(said: dict[str, Said]) -> dict[str, str]:
    return {name: _text(trait) for name, trait in said.items()}


def _text(trait: Said | None) -> str:
    return "" if trait is None or trait.value is None else str(trait.value)
