"""What the steps say to each other after the fold: scores, decisions, alerts, examples.

Each record's id follows from its cause, so whoever reads it twice can tell.
Times are whole milliseconds since 1970 in UTC; probabilities lie in [0, 1].
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct, field

# Names to numbers, as the bytes of a JSON object: a score's features go with it into the
# customer, its label and its example, and are written once for all of them.
Features = Annotated[
    Raw, Meta(extra_json_schema={"type": "object", "additionalProperties": {"type": "number"}})
]
_write = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(dict[str, float]).decode


def pack(features: dict[str, float]) -> Features:
    """Write features as the records carry them. The values are finite: JSON knows no others."""
    return Raw(_write(features))


def unpack(features: Features) -> dict[str, float]:
    """Read what `pack` wrote, bit for bit. Raises msgspec.ValidationError on anything else."""
    return _read(features)


NO_FEATURES: Features = Raw(b"{}")


def _nothing() -> Features:
    return NO_FEATURES


class Reason(Struct, frozen=True, omit_defaults=True):
    """One feature's share of a score, in logits: positive raises the risk."""

    feature: str
    contribution: float
    value: float
    usual: float | None = None  # the population's mean, or the customer's own habit


class Score(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """A prediction about one customer, with what it was made from."""

    score_id: str
    customer_id: str
    model: str  # "churn"
    model_version: int  # examples learnt by the snapshot that predicted
    at_ms: int
    cause: str  # id of the event that led to it
    probability: float
    band: Literal["low", "medium", "high"]
    horizon_days: int
    reasons: list[Reason] = field(default_factory=list)
    features: Features = field(default_factory=_nothing)


class Decision(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """The offer to make to one customer now; "none" is an offer too."""

    decision_id: str
    customer_id: str
    at_ms: int
    expires_ms: int
    cause: str
    offer: str  # id in the catalogue, or "none"
    channel: str | None = None
    propensity: float  # probability with which this offer was drawn
    propensities: dict[str, float]  # of every eligible offer, "none" included; they sum to 1
    model_version: int
    policy: str
    holdout: bool = False  # a control customer: always "none"
    features: Features = field(default_factory=_nothing)


class Alert(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """An episode's edge: a rule began or ceased to hold for a customer."""

    alert_id: str  # one an edge: follows from customer, rule, episode, status
    episode_id: str  # one an episode
    customer_id: str
    rule: str  # "churn_risk"
    status: Literal["opened", "closed"]
    severity: Literal["info", "warning", "critical"]
    at_ms: int  # when the rule's condition changed, in the customer's time
    received_ms: int  # when that became known
    cause: str
    probability: float | None = None
    outcome: str | None = None  # closed: "saved", "lost", "merged"
    reasons: list[Reason] = field(default_factory=list)
    offer: str | None = None
    identifiers: list[str] = field(default_factory=list)  # "type:value", so a receiver knows whom


class Delivery(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """One attempt (or refusal) to deliver an alert."""

    delivery_id: str  # alert id, destination and attempt
    alert_id: str
    customer_id: str
    destination: str
    status: Literal["delivered", "retrying", "failed", "expired"]
    attempt: int
    at_ms: int
    http_status: int | None = None
    error: str | None = None


class Example(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """A labelled example: the features as they were when the prediction was made."""

    example_id: str
    customer_id: str
    model: str  # "churn", "offers"
    model_version: int  # that predicted
    at_ms: int  # when predicted
    label_ms: int  # when the label became due
    features: Features
    label: float  # churn: 1 stayed away; offers: reward
    probability: float  # what was predicted (churn), or the propensity (offers)
    arm: str | None = None  # offers only
