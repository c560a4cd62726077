"""The rules of resolution: which identifiers name whom, and which never make two one.

Read from TOML once at start (`parse`); a mistake in the file is an error that names the
place. Those of a deployment must not change an identifier's spelling later: its customer
id follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.events.base import IdentifierType
from models.toml import read

LARGEST: Final = 1_000  # customers in one at most: more is a shared device, not a person
# What names a device or a browser; all others name a person.
DEVICES: Final = frozenset({IdentifierType.DEVICE_ID, IdentifierType.ANONYMOUS_ID})

Most = Annotated[int, Field(ge=1, le=LARGEST)]
Fits = Callable[[str], object]  # of a value; None: it does not


class RulesError(ValueError):
    """The rules file cannot be used; the message names the place."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Strict):
    """How many different values one customer may have."""

    user_id: Most = LARGEST
    loyalty_card: Most = 20
    external_id: Most = 50
    email: Most = 5
    phone: Most = 5
    device_id: Most = 50
    anonymous_id: Most = 500
    total: Most = LARGEST


class Blocked(_Strict):
    """Values that name nobody, whatever their case. A pattern must fit the whole value."""

    values: tuple[str, ...] = ()
    patterns: tuple[str, ...] = Field((), description="regular expressions")

    @field_validator("patterns")
    @classmethod
    def _compiles(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for number, pattern in enumerate(patterns):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{number}: not a regular expression: {error}") from None
        return patterns

    def folded(self) -> frozenset[str]:
        """Return the values, their case folded."""
        return frozenset(value.casefold() for value in self.values)

    def fitting(self) -> tuple[Fits, ...]:
        """Return what tells whether a value, its case folded, fits a pattern."""
        return tuple(re.compile(one).fullmatch for one in self.patterns)


_BLOCKED: Final[dict[IdentifierType | Literal["all"], Blocked]] = {
    "all": Blocked(
        values=(
            *("null", "none", "nil", "undefined", "unknown", "nobody", "anonymous", "anon"),
            *("guest", "nan", "n/a", "na", "false", "true", "default", "-1", "(null)", "(none)"),
            *("[object object]", "test@test.com", "user@example.com"),
        ),
        patterns=(r"[\s0.:{}-]*",),
    ),
    IdentifierType.EMAIL: Blocked(
        patterns=(
            r"(info|support|sales|admin|noreply|no-reply|donotreply|do-not-reply)@.*",
            r"(postmaster|webmaster|mailer-daemon)@.*",
        )
    ),
    IdentifierType.PHONE: Blocked(patterns=(r"\+?(\d)\1*",)),
}


class Rules(_Strict):
    """How identifiers are read and joined. Each set of rules is alone itself: a cache's key."""

    priority: tuple[IdentifierType, ...] = Field(
        (
            IdentifierType.USER_ID,
            IdentifierType.LOYALTY_CARD,
            IdentifierType.EXTERNAL_ID,
            IdentifierType.EMAIL,
            IdentifierType.PHONE,
            IdentifierType.DEVICE_ID,
            IdentifierType.ANONYMOUS_ID,
        ),
        description="all types, the strongest name first",
    )
    unique: frozenset[IdentifierType] = Field(
        frozenset({IdentifierType.USER_ID}), description="two values are two people, unless stated"
    )
    limits: Limits = Limits()
    shared_after: int = Field(
        3, ge=0, le=100, description="people at one device who make it nobody's; 0: never"
    )
    phone_region: str = Field(
        "", pattern=r"^([A-Z]{2})?$", description="of numbers without a country code: KR"
    )
    blocked: dict[IdentifierType | Literal["all"], Blocked] = Field(default=_BLOCKED)

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @field_validator("priority")
    @classmethod
    def _complete(cls, priority: tuple[IdentifierType, ...]) -> tuple[IdentifierType, ...]:
        if sorted(priority) != sorted(IdentifierType):
            raise ValueError(f"must name each once: {', '.join(IdentifierType)}")
        return priority

    @field_validator("phone_region")
    @classmethod
    def _exists(cls, region: str) -> str:
        if region:
            import phonenumbers  # slow to import, and for those who set it alone

            if region not in phonenumbers.SUPPORTED_REGIONS:
                raise ValueError(f"no region {region} has numbers")
        return region

    @field_validator("shared_after")
    @classmethod
    def _plural(cls, after: int) -> int:
        if after == 1:
            raise ValueError("with 1 every device is shared; 0 is never")
        return after

    @cached_property
    def ranks(self) -> dict[str, int]:
        """How strongly a type names a person: 0 is strongest."""
        return {kind.value: rank for rank, kind in enumerate(self.priority)}

    @cached_property
    def most(self) -> dict[str, int]:
        """The most values of each type in one customer."""
        limits: dict[str, int] = self.limits.model_dump(exclude={"total"})
        return limits

    @cached_property
    def _barred(self) -> dict[str, tuple[frozenset[str], tuple[Fits, ...]]]:
        """By type the values that name nobody, and what tells others that do not."""
        nothing, blocked = Blocked(), self.blocked
        found = {}
        for kind in self.priority:
            every, own = blocked.get("all", nothing), blocked.get(kind, nothing)
            found[kind.value] = (every.folded() | own.folded(), every.fitting() + own.fitting())
        return found

    def blocks(self, kind: IdentifierType, value: str) -> bool:
        """Tell whether a value names nobody."""
        folded = value.casefold()
        values, patterns = self._barred[kind]
        blocked = folded in values
        for fits in patterns:  # each new name comes by here: `any` would make a generator of it
            blocked = blocked or fits(folded) is not None
        return blocked


SHIPPED: Final = Rules()


def parse(text: str) -> Rules:
    """Read rules from TOML; what is left out is as shipped. Raises RulesError naming each fault."""
    return read(Rules, text, RulesError, "rules")
