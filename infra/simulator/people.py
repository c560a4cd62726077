"""One simulated customer: who they are, what they are like, what happened to them.

A person draws from a random source of their own, so one person's life does not
change when another is added.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Literal

from infra.simulator import words
from infra.simulator.truth import LEAVES

Sector = Literal["telecom", "retail"]
Language = Literal["ko", "en"]


@dataclass(slots=True)
class Order:
    """An order that may still be delivered, returned or spoken of."""

    order_id: str
    sku: str
    amount: int
    delivered: bool = False


@dataclass(slots=True)
class Person:
    """A customer. Times are ms since 1970; `pace` is sessions a day."""

    index: int
    rng: Random
    sector: Sector
    language: Language
    name: str
    age: int
    city: str
    pace: float
    joined_ms: int
    base_hazard: float

    sessions: int = 0
    last_ms: int = 0  # newest session
    said: int = 0  # events so far: numbers their ids
    known: bool = False  # has told who they are
    left_ms: int | None = None
    plan: str | None = None  # under contract
    yearly: bool = False  # the contract is for a year, else for a month
    renews_ms: int = 0  # when it is renewed next
    orders: list[Order] = field(default_factory=list)
    ticket: str | None = None  # an open one
    upset: bool = False  # it is a complaint
    refunded_ms: int = 0
    content_ms: int = 0  # took an offer

    @property
    def user_id(self) -> str:
        """The id they have with us, once they are known."""
        return f"u-{self.index:06d}"

    @property
    def anonymous_id(self) -> str:
        """The id of their browser."""
        return f"anon-{self.index:06d}"

    @property
    def device_id(self) -> str:
        """The id of their phone."""
        return f"dev-{self.index:06d}"

    @property
    def email(self) -> str:
        """Their address, in the domain kept for examples."""
        return f"customer{self.index:06d}@example.com"

    @property
    def phone(self) -> str:
        """Their number, in international form."""
        if self.language == "ko":
            return f"+8210{self.index // 10_000 % 10_000:04d}{self.index % 10_000:04d}"
        return f"+1555{self.index % 10_000_000:07d}"

    @property
    def card(self) -> str:
        """Their loyalty card."""
        return f"LC{self.index:08d}"

    @property
    def currency(self) -> str:
        """What they pay in."""
        return "KRW" if self.language == "ko" else "USD"

    @property
    def kind(self) -> str:
        """Their kind, which decides what they like (see `truth`)."""
        return f"{self.sector}/{'young' if self.age < 40 else 'old'}/{self.language}"


def person(seed: int, index: int, joined_ms: int) -> Person:
    """Make the customer number `index` of a world."""
    rng = Random(f"{seed}/{index}")  # noqa: S311  a simulation, not a secret
    sector: Sector = "telecom" if rng.random() < 0.45 else "retail"
    language: Language = "ko" if rng.random() < 0.6 else "en"
    if language == "ko":
        name = rng.choice(words.FAMILY_KO) + rng.choice(words.GIVEN_KO)
        city = rng.choice(words.CITIES_KO)
    else:
        name = f"{rng.choice(words.GIVEN_EN)} {rng.choice(words.FAMILY_EN)}"
        city = rng.choice(words.CITIES_EN)
    return Person(
        index=index,
        rng=rng,
        sector=sector,
        language=language,
        name=name,
        age=rng.randint(19, 74),
        city=city,
        pace=0.12 * rng.lognormvariate(0.0, 0.7),
        joined_ms=joined_ms,
        base_hazard=LEAVES[sector] * rng.lognormvariate(0.0, 0.5),
    )
