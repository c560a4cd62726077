"""What a customer is worth and when he buys next: CLV, RFM, propensity, the next purchase.

From his own purchases and the population's parameters, as of a moment: nothing is stored,
so silence lowers it without an event. Money is in minor units.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from models.customer import Customer
from models.population import Cuts, Population
from models.profile import Profile
from models.rhythm import DAY_MS
from models.traits.purchases import DAYS_KEPT, Buying, buying, expected, looked_at

HORIZON_DAYS: Final = 365  # of the lifetime value
DISCOUNT: Final = 0.1  # a year; each quarter's purchases are taken for made in its middle
PURCHASE_DAYS: Final = 30  # of the purchase propensity
_QUARTERS: Final = 4


class Rfm(Struct, frozen=True):
    """Recency, frequency and money, each also as a fifth of the population: 5 is best."""

    recency_days: int
    frequency: int  # orders
    money: dict[str, int]  # net of refunds, by currency
    recency_score: int | None  # None: the population was not fitted yet
    frequency_score: int | None
    money_scores: dict[str, int]
    segment: str | None


class Value(Struct, frozen=True, kw_only=True):
    """What is expected of a buyer, as of `at_ms`, by the population fitted at `fitted_ms`."""

    at_ms: int
    alive: float  # P(still buys here)
    purchase: float  # P(an order within PURCHASE_DAYS)
    gap_days: float  # expected between two days with a purchase, own rhythm and population's
    next_ms: int  # when the next one is expected: the last one and the gap; may have passed
    overdue: bool
    orders: float  # expected within HORIZON_DAYS
    clv: dict[str, int]  # net revenue expected within HORIZON_DAYS, discounted, by currency
    rfm: Rfm
    fitted_ms: int  # 0: the parameters that the software comes with
    customers: int  # that they were fitted to


def value(customer: Customer, now_ms: int, population: Population) -> Value | None:
    """Return what a customer is worth as of `now_ms`; None: nothing was bought yet."""
    profile, at_ms = customer.profile, looked_at(customer, now_ms)
    of = buying(profile.order_days, at_ms)
    if of is None:
        return None
    lifetime = population.purchases
    a_day = _orders_a_day(profile)
    gap = lifetime.gap(of.repeats, of.last)
    next_ms = round((profile.order_days[-1] + gap) * DAY_MS)
    clv, orders = _clv(profile, of, population, a_day)
    return Value(
        at_ms=at_ms,
        alive=lifetime.alive(*of),
        purchase=1.0 - lifetime.silent(*of, PURCHASE_DAYS),
        gap_days=gap,
        next_ms=next_ms,
        overdue=next_ms < at_ms,
        orders=orders,
        clv=clv,
        rfm=rfm(profile, at_ms, population.cuts),
        fitted_ms=population.fitted_ms,
        customers=population.customers,
    )


def net(profile: Profile) -> dict[str, int]:
    """Return what a customer paid less what went back, by currency."""
    back = profile.refunded
    return {code: paid - back.get(code, 0) for code, paid in profile.revenue.items()}


def rfm(profile: Profile, at_ms: int, cuts: Cuts) -> Rfm:
    """Return recency, frequency and money of a buyer, with the fifths that they fall in."""
    days = max(0, at_ms // DAY_MS - profile.order_days[-1])
    recency = _fifth(-float(days), [-border for border in reversed(cuts.recency)])
    # Many have bought as often as a border says, most of them once: they are below it.
    frequency = 1 + sum(profile.orders > one for one in cuts.frequency) if cuts.frequency else None
    money = net(profile)
    scores = {
        code: score
        for code, minor in money.items()
        if (score := _fifth(float(minor), cuts.money.get(code, []))) is not None
    }
    segment = None if recency is None or frequency is None else _segment(recency, frequency)
    return Rfm(days, profile.orders, money, recency, frequency, scores, segment)


def _fifth(value: float, borders: list[float]) -> int | None:
    return 1 + sum(value >= border for border in borders) if borders else None


def _segment(recency: int, frequency: int) -> str:
    """Name a buyer by recency and frequency, after the usual grid of RFM segments."""
    if recency >= 4:
        return "champion" if frequency >= 4 else "growing" if frequency >= 2 else "new"
    if recency == 3:
        return "loyal" if frequency >= 3 else "wavering"
    return "at_risk" if frequency >= 3 else "dormant"


def _orders_a_day(profile: Profile) -> float:
    days = len(profile.order_days)
    return profile.orders / days if days < DAYS_KEPT else 1.0


def _clv(
    profile: Profile, of: Buying, population: Population, a_day: float
) -> tuple[dict[str, int], float]:
    """Return the lifetime value by currency, and the orders that are expected."""
    made = [0.0]
    for quarter in range(1, _QUARTERS + 1):
        until = HORIZON_DAYS * quarter / _QUARTERS
        made.append(expected(population.purchases, of, until) * a_day)
    worth = sum(
        (made[quarter] - made[quarter - 1]) / (1.0 + DISCOUNT) ** ((quarter - 0.5) / _QUARTERS)
        for quarter in range(1, _QUARTERS + 1)
    )
    paid = net(profile)
    clv = {}
    for code, orders in profile.orders_by_currency.items():
        mean = max(0.0, paid.get(code, 0) / orders)
        spend = population.spend.get(code)
        usual = mean if spend is None else spend.usual(orders, mean)
        clv[code] = round(worth * orders / profile.orders * usual)
    return clv, made[-1]
