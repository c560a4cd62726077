"""Money is exact, in whole minor units of a known currency."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from models.money import CURRENCIES, Money, SignedMoney, exponent


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("59.00", "USD", 5900), ("59", "USD", 5900), ("0.01", "EUR", 1), ("15000", "KRW", 15000),
        ("1.234", "KWD", 1234), ("1E+3", "KRW", 1000), ("1.50000", "USD", 150),
    ],
)  # fmt: skip
def test_amounts_are_whole_minor_units(amount, currency, minor):
    assert Money(amount=Decimal(amount), currency=currency).minor == minor
    assert Money.of_minor(minor, currency).minor == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("0.5", "KRW"), ("0.001", "USD"), ("-1", "USD"), ("NaN", "USD"), ("Infinity", "USD"),
     ("1", "XXX"), ("1", "usd"), ("1" * 19, "USD"), ("1E+400", "USD")],
)  # fmt: skip
def test_amounts_that_are_none_are_refused(amount, currency):
    with pytest.raises(ValidationError):
        Money(amount=Decimal(amount), currency=currency)


def test_a_margin_may_be_negative():
    assert SignedMoney(amount=Decimal("-1.50"), currency="USD").minor == -150


def test_every_currency_has_an_exponent():
    assert {exponent(code) for code in CURRENCIES} == {0, 2, 3, 4}
    assert len(CURRENCIES) > 150
