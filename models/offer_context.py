"""What the offer model sees of a customer: the score's features, and what offers are chosen by.

Those of the score just made are taken over, so that both saw the same.
"""

from __future__ import annotations

from models.contracts import running
from models.customer import Customer
from models.features import features
from models.judge import Judge
from models.records import unpack
from models.rounding import to_six
from models.traits.moods import weights

# A channel's share of the customer's events, a category's of his interests as they are now.
USES, LIKES = "uses:", "likes:"


def context(customer: Customer, at_ms: int, cause: str, judge: Judge) -> dict[str, float]:
    """Return the features at this moment (ms, UTC), for the catalogue's channels and interests."""
    seen = _scored(customer, at_ms, cause, judge)
    profile, catalogue = customer.profile, judge.catalogue
    if profile.events:
        by_channel, contacts = profile.events_by_channel, profile.events
        for channel in catalogue.channels:
            seen[USES + channel] = to_six(by_channel.get(channel, 0) / contacts)
    if catalogue.categories and profile.interest_weeks:
        weighed, whole = weights(profile, at_ms)
        for category in catalogue.categories:
            weight = weighed.get(category)
            seen[LIKES + category] = 0.0 if weight is None else to_six(weight / whole)
    return seen


def _scored(customer: Customer, at_ms: int, cause: str, judge: Judge) -> dict[str, float]:
    risk = customer.risk
    if risk is not None and risk.at_ms == at_ms and risk.cause == cause:
        return unpack(risk.features)
    contracts = running(customer.contracts, at_ms) if customer.contracts else []
    days = judge.contract_horizon_days if contracts else judge.horizon_days
    return features(customer, at_ms, days, judge.population, contracts)
