"""What is concluded about a customer as the API shows it: scores, the offer, alerts."""

from __future__ import annotations

from models.customer import Customer, Episode
from models.reasons import rest
from models.records import Decision, Reason, Score
from models.wording import in_words
from projections.serve.written import Json, instant


def scores(customer: Customer) -> dict[str, Json]:
    """Return the newest score of each model, with its reasons."""
    return {customer.risk.model: score(customer.risk)} if customer.risk else {}


def score(one: Score) -> Json:
    """Return a score: the probability, and what raised or lowered it."""
    return {
        "score_id": one.score_id,
        "probability": round(one.probability, 6),
        "band": one.band,
        "horizon_days": one.horizon_days,
        "horizon": one.horizon,
        "scored_at": instant(one.at_ms),
        "model_version": one.model_version,
        "cause": one.cause,
        "reasons": [_reason(reason) for reason in one.reasons],
        "rest": [_reason(reason) for reason in rest(one)],
    }


def _reason(one: Reason) -> Json:
    return {
        "feature": one.feature,
        "contribution": round(one.contribution, 6),
        "effect": "raised" if one.contribution > 0 else "lowered",
        "value": one.value,
        "usual": one.usual,
        "about": one.about or one.feature,
        "text": in_words(one),
    }


def offer(decision: Decision | None) -> Json | None:
    """Return the offer to make now; None before any decision."""
    if decision is None:
        return None
    return {
        "decision_id": decision.decision_id,
        "offer": decision.offer,
        "channel": decision.channel,
        "decided_at": instant(decision.at_ms),
        "expires_at": instant(decision.expires_ms),
        "propensity": round(decision.propensity, 6),
        "holdout": decision.holdout,
        "policy": decision.policy,
        "model_version": decision.model_version,
    }


def episode(rule: str, one: Episode) -> Json:
    """Return the newest episode of an alert rule."""
    return {
        "rule": rule,
        "number": one.number,
        "status": one.status,
        "opened_at": instant(one.opened_ms),
        "closed_at": instant(one.closed_ms),
        "outcome": one.outcome,
    }
