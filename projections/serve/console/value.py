"""What is expected of a customer, for his page: worth, next purchase, opinion, companions."""

from __future__ import annotations

from typing import NamedTuple

from models.customer import Customer
from models.traits.moods import interests, mood
from models.traits.purchases import looked_at
from models.traits.value import value
from projections.live_learnt import Known
from projections.serve.console import present
from projections.serve.console.words import Words

INTERESTS = 8
NEUTRAL = 0.1  # an opinion nearer to 0 is neither good nor bad


class ValueCard(NamedTuple):
    """Figures as they are read; empty: not known."""

    clv: str
    alive: str
    purchase: str
    next_ms: int | None
    overdue: bool
    gap: str
    segment: str
    interests: list[str]
    opinion: str  # good, neutral, bad
    opinion_ms: int | None
    goes_with: list[tuple[str, str]]  # a product, and what it is bought with


def card(customer: Customer, known: Known, words: Words) -> ValueCard:
    """Lay out what is expected of a customer as of a moment."""
    profile, at_ms = customer.profile, looked_at(customer, known.at_ms)
    found = value(customer, known.at_ms, known.population)
    said = mood(profile, at_ms)
    return ValueCard(
        clv=present.sums(found.clv) if found else "",
        alive=present.percent(found.alive) if found else "",
        purchase=present.percent(found.purchase) if found else "",
        next_ms=found.next_ms if found else None,
        overdue=found is not None and found.overdue,
        gap=words.count("day", found.gap_days) if found else "",
        segment=(found.rfm.segment or "") if found else "",
        interests=[one.category for one in interests(profile, at_ms, INTERESTS)],
        opinion="" if said is None else _opinion(said.mean),
        opinion_ms=None if said is None else said.newest.at_ms,
        goes_with=[
            (one.product, one.because) for one in known.affinity.goes_with(profile.products)
        ],
    )


def _opinion(mean: float) -> str:
    return "good" if mean > NEUTRAL else "bad" if mean < -NEUTRAL else "neutral"
