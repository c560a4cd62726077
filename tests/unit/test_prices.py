"""What a contract costs, and how much of a change still counts."""

from math import exp, log

import pytest

from models.features import features
from models.prices import MOST, STEEPEST, join, risen
from models.rhythm import DAY_MS
from models.terms import Price
from tests.support.histories import usd
from tests.unit.test_contracts import Life


def said(*words):
    """Prices by day: (day, minor units), or with a currency and a period."""
    return [Price(day * DAY_MS, minor, *(more or ("USD", 30))) for day, minor, *more in words]


def test_a_rise_counts_whole_on_its_day_and_half_as_much_every_thirty_days():
    told = said((0, 1000), (30, 1200))
    assert risen(told, 30 * DAY_MS) == pytest.approx(log(1.2))
    assert risen(told, 60 * DAY_MS) == pytest.approx(log(1.2) / 2)
    assert risen(told, 20 * DAY_MS) == pytest.approx(log(1.2))  # told before it counts


def test_a_fall_is_below_zero_and_what_stayed_the_same_is_zero():
    assert risen(said((0, 1000), (30, 800)), 30 * DAY_MS) == pytest.approx(log(0.8))
    assert risen(said((0, 1000), (30, 1000)), 30 * DAY_MS) == 0.0
    assert risen(said((0, 1000)), 30 * DAY_MS) == 0.0


def test_prices_are_compared_by_the_day_where_periods_are_known():
    assert risen(said((0, 1000, "USD", 30), (30, 1000, "USD", 60)), 30 * DAY_MS) < -0.6
    assert risen(said((0, 1000, "USD", 30), (30, 1000, "USD", 0)), 30 * DAY_MS) == 0.0


def test_what_cannot_be_compared_is_no_change():
    assert risen(said((0, 1000, "USD", 30), (30, 900, "EUR", 30)), 30 * DAY_MS) == 0.0
    assert risen(said((0, 0), (30, 900)), 30 * DAY_MS) == 0.0
    assert risen(said((0, 1), (30, 10**9)), 30 * DAY_MS) == STEEPEST


def test_the_newest_words_are_kept_each_once():
    told = said(*((day, 1000 + day) for day in range(MOST + 3)))
    assert join(told[:5], told[3:]) == told[-MOST:]


def test_a_renewal_for_more_is_a_feature_of_who_renewed():
    life = Life().start(0, price=usd("10")).renew(30, price=usd("12"), period="month")
    at = life.customer.clock_ms
    held = list(life.customer.contracts.values())
    seen = features(life.customer, at + 30 * DAY_MS, held=held)
    assert seen["price_rise"] == pytest.approx(log(1.2) / 2, abs=1e-6)
    assert exp(seen["price_rise"]) > 1.0


def test_of_several_contracts_the_one_whose_price_changed_most_is_told():
    life = Life().start(0, "a", price=usd("10")).start(0, "b", price=usd("10"))
    life.renew(30, "a", price=usd("11")).renew(30, "b", price=usd("5"))
    held = list(life.customer.contracts.values())
    assert features(life.customer, life.customer.clock_ms, held=held)["price_rise"] < -0.6


def test_who_told_no_price_or_has_no_contract_has_no_such_feature():
    life = Life().start(0).renew(30)
    held = list(life.customer.contracts.values())
    assert "price_rise" not in features(life.customer, life.customer.clock_ms, held=held)
    assert "price_rise" not in features(life.customer, life.customer.clock_ms)
