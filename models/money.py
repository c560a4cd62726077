"""Money: an exact amount in one ISO 4217 currency.

Amounts are decimals, never floats, and never finer than the currency's minor
unit: so `minor` is a whole number and sums are exact.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

# Active ISO 4217 codes by the decimals of their minor unit.
_CODES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
    CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD
    HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK
    MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD
    RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS
    UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_EXPONENTS = {code: digits for digits, codes in _CODES.items() for code in codes.split()}
_STEPS = {code: Decimal(1).scaleb(-digits) for code, digits in _EXPONENTS.items()}
CURRENCIES = frozenset(_EXPONENTS)


def exponent(currency: str) -> int:
    """Return how many decimals a currency has. Raises KeyError on an unknown one."""
    return _EXPONENTS[currency]


if TYPE_CHECKING:
    _Code = str
else:
    _Code = Literal[tuple(sorted(CURRENCIES))]
Currency = Annotated[_Code, Field(description="ISO 4217 code", examples=["USD", "KRW"])]


class SignedMoney(BaseModel):
    """An amount that may be negative, such as a margin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Decimal = Field(max_digits=18, allow_inf_nan=False, examples=["59.00"])
    currency: Currency

    @model_validator(mode="after")
    def _not_finer_than_the_currency(self) -> Self:
        if self.amount != self.amount.quantize(_STEPS[self.currency]):
            raise PydanticCustomError("finer_than_currency", "finer than the currency's minor unit")
        return self

    @property
    def minor(self) -> int:
        """The amount in minor units: cents, won."""
        return int(self.amount.scaleb(_EXPONENTS[self.currency]))

    @classmethod
    def of_minor(cls, minor: int, currency: str) -> Self:
        """Make the amount of so many minor units."""
        return cls(amount=Decimal(minor).scaleb(-_EXPONENTS[currency]), currency=currency)


class Money(SignedMoney):
    """An amount that is paid, cost or granted: zero or more."""

    amount: Decimal = Field(ge=0, max_digits=18, allow_inf_nan=False, examples=["59.00"])
