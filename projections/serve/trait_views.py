"""What is computed of a customer as of a moment, as the API shows it: each with its source."""

from __future__ import annotations

from typing import Final

from models.customer import Customer
from models.profile.weekly import HALF_LIFE_DAYS
from models.traits.moods import interests, mood, preferred_channel, read_by
from models.traits.purchases import looked_at
from models.traits.value import DISCOUNT, HORIZON_DAYS, PURCHASE_DAYS, Rfm, value
from projections.live_learnt import Known
from projections.serve import views
from projections.serve.written import Json, amounts, instant

_MODEL: Final = "mbg-nbd, gamma-gamma"


def whole(customer: Customer, known: Known) -> Json:
    """Return everything about a customer, with what is computed as of a moment."""
    return views.whole(customer) | traits(customer, known)


def traits(customer: Customer, known: Known) -> Json:
    """Return a customer's computed traits by name."""
    profile, at_ms = customer.profile, looked_at(customer, known.at_ms)
    return {
        "preferred_channel": preferred_channel(profile),
        "value": _value(customer, known),
        "interests_now": [
            {
                "category": one.category,
                "weight": round(one.weight, 4),
                "share": round(one.share, 4),
                "half_life_days": HALF_LIFE_DAYS,
            }
            for one in interests(profile, at_ms)
        ],
        "sentiment": _sentiment(customer, at_ms),
        "goes_with": [
            {
                "product_id": one.product,
                "bought_with": one.because,
                "confidence": round(one.confidence, 4),
                "lift": round(one.lift, 3),
                "baskets": round(one.baskets, 2),
            }
            for one in known.affinity.goes_with(profile.products)
        ],
    }


def _value(customer: Customer, known: Known) -> Json | None:
    found = value(customer, known.at_ms, known.population)
    if found is None:
        return None
    return {
        "as_of": instant(found.at_ms),
        "source": _MODEL,
        "fitted_at": instant(found.fitted_ms or None),
        "fitted_to": found.customers,
        "alive": round(found.alive, 4),
        "purchase": {"within_days": PURCHASE_DAYS, "probability": round(found.purchase, 4)},
        "next_purchase": {
            "expected_at": instant(found.next_ms),
            "gap_days": round(found.gap_days, 1),
            "overdue": found.overdue,
        },
        "clv": {
            "horizon_days": HORIZON_DAYS,
            "discount": DISCOUNT,
            "orders": round(found.orders, 3),
            "amounts": amounts(found.clv),
        },
        "rfm": _rfm(found.rfm),
    }


def _rfm(one: Rfm) -> Json:
    return {
        "recency_days": one.recency_days,
        "frequency": one.frequency,
        "money": amounts(one.money),
        "recency_score": one.recency_score,
        "frequency_score": one.frequency_score,
        "money_scores": one.money_scores,
        "segment": one.segment,
    }


def _sentiment(customer: Customer, at_ms: int) -> Json | None:
    found = mood(customer.profile, at_ms)
    if found is None:
        return None
    return {
        "newest": found.newest.value,
        "newest_at": instant(found.newest.at_ms),
        "event_id": found.newest.event_id,
        "told_by": found.newest.source,
        "mean": round(found.mean, 4),
        "texts": found.said,
        "half_life_days": HALF_LIFE_DAYS,
        "source": read_by(customer.profile),
    }
