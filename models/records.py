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


class Reason(Struct, frozen=True, omit_defaults=True, gc=False):
    """A share of a score, in logits, of features that move together: positive raises the risk."""

    feature: str  # what they are together: "silence"
    contribution: float
    value: float
    usual: float | None = None  # the population's mean, or the customer's own habit
    about: str = ""  # the one of them that `value` and `usual` are of


class Score(Struct, omit_defaults=True, frozen=True, kw_only=True, gc=False):
    """A prediction about one customer, with what it was made from."""

    score_id: str
    customer_id: str
    model: str  # "churn", or "contract" for who has one
    model_version: int  # examples learnt by the snapshot that predicted
    at_ms: int
    cause: str  # id of the event that led to it
    probability: float
    band: Literal["low", "medium", "high"]
    horizon_days: int
    horizon: str = ""  # what churn means here, with its version: "silence-30/1"
    base: float = 0.0  # the population's own share of the logit, against which reasons are told
    reasons: list[Reason] = field(default_factory=list)  # the strongest
    features: Features = field(default_factory=_nothing)


class Decision(Struct, omit_defaults=True, frozen=True, kw_only=True, gc=False):
    """The offer to make to one customer now; "none" is an offer too."""

    decision_id: str
    customer_id: str
    at_ms: int
    expires_ms: int
    cause: str
    offer: str  # id in the catalogue, or "none"
    channel: str | None = None
    arm: str = "none"  # offer and channel as one: "winback-20/email"
    campaign: str = ""  # that the offer belongs to
    propensity: float  # probability with which this arm was drawn
    propensities: dict[str, float] = field(default_factory=dict)  # by eligible arm; they sum to 1
    # What the chances were made from, by arm, in the same order; empty where nothing was drawn.
    means: list[float] = field(default_factory=list)  # of the logit that the arm converts
    deviations: list[float] = field(default_factory=list)  # of that logit
    margins: list[float] = field(default_factory=list)  # a conversion's, in the catalogue's money
    model_version: int
    policy: str
    holdout: bool = False  # a control customer: always "none"
    held: list[str] = field(default_factory=list)  # campaigns whose control the customer is
    features: Features = field(default_factory=_nothing)


class Alert(Struct, omit_defaults=True, frozen=True, kw_only=True, gc=False):
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


class Delivery(Struct, omit_defaults=True, frozen=True, kw_only=True, gc=False):
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


class Outcome(Struct, omit_defaults=True, frozen=True, kw_only=True, gc=False):
    """What became of a decision by the end of its window; money is the catalogue's."""

    decision_id: str
    margin: float = 0.0  # earned by what counts as following from the decision, clipped
    cost: float = 0.0  # of making the offer
    shown: bool = False
    claimed: bool = False  # accepted, or bought with its coupon or decision id
    holdout: bool = False
    policy: str = ""
    half_life: float = 0.0  # examples after which half is forgotten; 0: nothing is


class _Kept(Struct, omit_defaults=True, frozen=True, gc=False, tag_field="kind"):
    """What a model's log keeps, told apart by its kind."""


class Example(_Kept, frozen=True, kw_only=True, tag="example"):
    """A labelled example: the features as they were when the prediction was made."""

    example_id: str
    customer_id: str
    model: str  # "churn", "contract", "offers", "affinity": a basket, with nothing predicted
    model_version: int  # that predicted
    at_ms: int  # when predicted
    label_ms: int  # when the label became due
    features: Features
    label: float  # churn: 1 stayed away; offers: 1 converted
    probability: float  # what was predicted (churn), or the propensity (offers)
    horizon: str = ""  # churn and contract: what the label means, "silence-30/1"
    acted: bool = False  # between prediction and label an offer was shown, or an alert open
    past: bool = False  # predicted of a past while it was read in: nobody was told
    weight: float = 1.0  # churn and contract: the share of its window that is new (models.overlap)
    arm: str | None = None  # offers only: as in the decision
    outcome: Outcome | None = None  # offers only


class Command(_Kept, frozen=True, kw_only=True, tag="command"):
    """A person's or a job's word to a learner; it stands in the model's log among the examples."""

    command_id: str
    model: str
    action: Literal["freeze", "unfreeze", "reset", "rollback", "promote", "population"]
    at_ms: int
    by: str  # a person or a job
    reason: str
    candidate: str | None = None  # promote: who serves from now on
    version: int | None = None  # rollback: of the state to go back to
    population: Features = field(default_factory=_nothing)  # the fitted parameters


class Reserved(_Kept, frozen=True, kw_only=True, tag="reserved"):
    """A unit of a limited offer was promised, or is free again; it stands in the model's log."""

    reserved_id: str
    customer_id: str
    model: str
    offer: str
    units: int  # 1 promised, -1 free again
    at_ms: int


# All that a model's log holds.
ModelRecord = Example | Command | Reserved
