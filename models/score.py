"""Step 4, score: a customer at a moment -> a churn probability, with reasons.

Pure: the same customer, moment and judge give the same score.
"""

from __future__ import annotations

from typing import Literal

from models.customer import Customer
from models.features import features
from models.judge import Judge
from models.online.scaling import sigmoid
from models.reasons import reasons
from models.records import Score, pack

MODEL = "churn"
TOP = 3


def score(customer: Customer, at_ms: int, cause: str, judge: Judge) -> Score:
    """Return P(no contact within the horizon after `at_ms`); `cause` is the event's id."""
    churn, horizon = judge.churn, judge.horizon_days
    seen = features(customer, at_ms, horizon, judge.population)
    shares = churn.explain_one(seen)
    probability = sigmoid(sum(shares.values()))
    return Score(
        score_id=f"{MODEL}:{customer.customer_id}:{cause}:{at_ms}",
        customer_id=customer.customer_id,
        model=MODEL,
        model_version=churn.learnt,
        at_ms=at_ms,
        cause=cause,
        probability=probability,
        band=band(probability, judge),
        horizon_days=horizon,
        reasons=reasons(customer, at_ms, seen, shares, churn, TOP),
        features=pack(seen),
    )


def band(probability: float, judge: Judge) -> Literal["low", "medium", "high"]:
    """Return the band of a probability, by the thresholds at which alerts open and close."""
    rule = judge.catalogue.risk
    if probability >= rule.high:
        return "high"
    return "medium" if probability >= rule.low else "low"
