"""What the board and the search need of a customer's record, and nothing more.

Decoding a few fields costs a fraction of decoding them all: the reader follows
every change of every customer, while whole records are read only when asked for.
Nothing of it can be in a cycle, so Python's search for those need not look at it (`gc=False`):
with a million customers kept that would hold up every request for a second.
"""

from __future__ import annotations

from msgspec import DecodeError, Struct, ValidationError, field
from msgspec.json import Decoder

from models.customer import Episode, Regroup


class Said(Struct, frozen=True, array_like=True, gc=False):
    """A trait's value, without what follows it: when it was said, by what and whence."""

    value: str | float | bool | None


class Traits(Struct, frozen=True, gc=False):
    """The traits that a person is looked up by."""

    name: Said | None = None
    first_name: Said | None = None
    last_name: Said | None = None
    given: Said | None = field(default=None, name="firstName")  # as Segment's senders say it
    family: Said | None = field(default=None, name="lastName")
    email: Said | None = None
    phone: Said | None = None


class Outline(Struct, frozen=True, gc=False):
    """The part of a profile that is counted and searched."""

    identifiers: dict[str, int] = field(default_factory=dict)
    traits: Traits = field(default_factory=Traits)
    events: int = 0
    last_seen_ms: int | None = None


class Risk(Struct, frozen=True, gc=False):
    """The newest churn score, without its reasons."""

    probability: float
    band: str


class Glance(Struct, frozen=True, gc=False):
    """One customer at a glance. Times are ms, UTC."""

    customer_id: str
    offset: int = -1
    version: int = 0
    received_ms: int = 0
    generation: int = -1
    regroup: Regroup | None = None  # parts are still to come
    merged_into: str | None = None
    absorbed: tuple[str, ...] = ()
    profile: Outline = field(default_factory=Outline)
    risk: Risk | None = None
    episodes: dict[str, Episode] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What to call the customer: a stated name, else an identifier, else the id."""
        for text in _names(self.profile.traits):
            return text
        for wanted in ("email", "phone", "user_id", "loyalty_card"):
            for identifier in self.profile.identifiers:
                kind, _, value = identifier.partition(":")
                if kind == wanted:
                    return value
        return self.customer_id


_decoder = Decoder(Glance)

Unreadable = (DecodeError, ValidationError)


def glance(value: bytes) -> Glance:
    """Read a record's outline. Raises `Unreadable` on what is no customer."""
    return _decoder.decode(value)


def terms(of: Glance) -> set[str]:
    """Return every text that a search for this customer may begin with."""
    if of.merged_into is not None:
        return set()
    traits = of.profile.traits
    found: set[str] = set()
    for name in _names(traits):
        folded = name.casefold()
        found |= {folded, *folded.split(), initials(folded)}
    said = {"email": traits.email, "phone": traits.phone}
    for identifier in of.profile.identifiers:
        kind, _, value = identifier.partition(":")
        if kind in said:
            found |= _contact(kind, value)
    for kind, trait in said.items():
        if trait is not None and isinstance(trait.value, str):
            found |= _contact(kind, trait.value)
    found.discard("")
    return found


def digits(text: str) -> str:
    """Keep a telephone number's digits."""
    return "".join(sign for sign in text if sign.isdigit())


def initials(text: str) -> str:
    """Write Hangul by its first consonants: 김민지 gives ㄱㅁㅈ, as callers' names are typed.

    Empty when no syllable of `text` is Hangul.
    """
    leads = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
    return "".join(leads[(ord(sign) - 0xAC00) // 588] for sign in text if "가" <= sign <= "힣")


def _names(traits: Traits) -> list[str]:
    if traits.name is not None and isinstance(traits.name.value, str) and traits.name.value:
        return [traits.name.value]
    parts = [
        part.value
        for part in (traits.first_name or traits.given, traits.last_name or traits.family)
        if part is not None and isinstance(part.value, str)
    ]
    return [" ".join(parts)] if parts else []


def _contact(kind: str, value: str) -> set[str]:
    if kind == "email":
        return {value.casefold()}
    number = digits(value)
    # A caller is often known by the last four digits alone.
    return {number, number[-8:], number[-4:]}
