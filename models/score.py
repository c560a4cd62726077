"""Step 4, score: a customer at a moment -> a churn probability, with reasons.

Who has a contract is scored for its end, who has none for silence: nobody for both at once.
Pure: the same customer, moment and judge give the same score.
"""

from __future__ import annotations

from typing import Final, Literal

from models.contracts import running
from models.customer import Customer
from models.feature_text import packed
from models.features import measured
from models.horizon import CONTRACT, SILENCE, horizon
from models.judge import Judge
from models.online.scaling import sigmoid
from models.outlook import SURE
from models.reasons import reasons
from models.records import Score
from models.rounding import to_four, to_six

CHURN_MODEL: Final = "churn"
CONTRACT_MODEL: Final = "contract"
TOP: Final = 3


def score(customer: Customer, at_ms: int, cause: str, judge: Judge) -> Score:
    """Return P(churn within the horizon after `at_ms`); `cause` is the event's id."""
    held = running(customer.contracts, at_ms) if customer.contracts else []
    if held:
        name, served, days = CONTRACT_MODEL, judge.contract, judge.contract_horizon_days
        means = horizon(CONTRACT, days)
    else:
        name, served, days = CHURN_MODEL, judge.churn, judge.horizon_days
        means = horizon(SILENCE, days)
    seen, card = measured(customer, at_ms, days, judge.population, held), served.card
    shares = card.by_place(seen)
    probability = min(max(to_six(sigmoid(shares.logit())), SURE), 1.0 - SURE)
    return Score(
        score_id=f"{name}:{customer.customer_id}:{cause}:{at_ms}",
        customer_id=customer.customer_id,
        model=name,
        model_version=served.learnt,
        at_ms=at_ms,
        cause=cause,
        probability=probability,
        band=band(probability, judge),
        horizon_days=days,
        horizon=means,
        base=to_four(shares.base),
        reasons=reasons(customer, at_ms, seen, shares, card, TOP),
        features=packed(seen),
    )


def band(probability: float, judge: Judge) -> Literal["low", "medium", "high"]:
    """Return the band of a probability, by the thresholds at which alerts open and close."""
    rule = judge.catalogue.risk
    if probability >= rule.high:
        return "high"
    return "medium" if probability >= rule.low else "low"
