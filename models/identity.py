"""Who an event belongs to: identifiers made comparable, and the customer they name.

A customer's id follows from the strongest identifier of the event alone, so
naming one needs no lookup and never waits; links join customers afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import blake2b
from unicodedata import normalize

from models.errors import Reason, TouchpointRejectedError
from models.events.base import Identifier, IdentifierType
from models.events.union import Touchpoint

# Lower is stronger. Only `user_id` is given by us, to one person, for good.
_RANKS: dict[str, int] = {
    IdentifierType.USER_ID: 0,
    IdentifierType.LOYALTY_CARD: 1,
    IdentifierType.EMAIL: 2,
    IdentifierType.PHONE: 3,
    IdentifierType.DEVICE_ID: 4,
    IdentifierType.ANONYMOUS_ID: 5,
}
_UNRANKED = len(_RANKS)

# What client libraries send for "nobody": one customer made of all of them would be wrong.
_NOBODY = {
    *("null", "none", "nil", "undefined", "unknown", "nobody", "anonymous", "anon", "guest"),
    *("nan", "n/a", "na", "false", "true", "default", "-1", "(null)", "(none)"),
    *("[object object]", "test@test.com", "user@example.com"),
}
_ZEROS = re.compile(r"^[\s0.:{}-]*$")  # "", "0", "0000-0000", an all-zero UUID
_NOT_DIGITS = re.compile(r"\D")
_FEWEST_DIGITS = 5
_REMEMBERED = 1 << 15  # names of late: customers come in visits, so the same ones come again


def rank_of(kind: str) -> int:
    """Return how strongly a type of identifier names a person: 0 is strongest."""
    return _RANKS.get(kind, _UNRANKED)


def is_person(kind: str) -> bool:
    """Tell whether a type of identifier names a person rather than a device or browser."""
    return rank_of(kind) <= _RANKS[IdentifierType.PHONE]


def _email(text: str) -> str:
    local, at, domain = text.casefold().rpartition("@")
    return f"{local}@{domain.rstrip('.')}" if at and local and domain else ""


def _phone(text: str) -> str:
    digits = _NOT_DIGITS.sub("", text)
    if len(digits) < _FEWEST_DIGITS or len(set(digits)) == 1:
        return ""
    if text.startswith("00"):  # dialled from abroad
        return f"+{digits[2:]}"
    return f"+{digits}" if text.startswith("+") else digits


def _card(text: str) -> str:
    return re.sub(r"[\s-]", "", text).upper()


_FORMS: dict[IdentifierType, Callable[[str], str]] = {
    IdentifierType.EMAIL: _email,
    IdentifierType.PHONE: _phone,
    IdentifierType.LOYALTY_CARD: _card,
    IdentifierType.DEVICE_ID: str.casefold,  # the same id is upper case on one platform
}


def normalise(identifier: Identifier) -> Identifier | None:
    """Return the identifier in its one spelling; None when it names nobody."""
    value = _spelt(identifier.type, identifier.value)
    if not value:
        return None
    spelt = value == identifier.value
    return identifier if spelt else identifier.model_copy(update={"value": value})


def _spelt(kind: IdentifierType, value: str) -> str:
    text = value.strip() if value.isascii() else normalize("NFKC", value).strip()
    if text.casefold() in _NOBODY or _ZEROS.match(text):
        return ""
    form = _FORMS.get(kind)
    return form(text) if form else text


def known(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """Return those that name somebody, in their one spelling, each once."""
    return tuple(dict.fromkeys(filter(None, map(normalise, identifiers))))


@lru_cache(_REMEMBERED)
def customer_id_of(identifier: Identifier) -> str:
    """Return the id of the customer that a normalised identifier names."""
    return f"c_{blake2b(str(identifier).encode(), digest_size=10).hexdigest()}"


def primary(identifiers: Iterable[Identifier]) -> Identifier:
    """Return the strongest identifier, the first of its kind. Raises ValueError on none."""
    return min(identifiers, key=_rank)


def _rank(identifier: Identifier) -> int:
    return _RANKS[identifier.type]


@lru_cache(_REMEMBERED)
def _whose(identifiers: tuple[Identifier, ...]) -> tuple[tuple[Identifier, ...], str]:
    """Return the identifiers that name somebody, and the customer; "" when there is none."""
    found = known(identifiers)
    return found, customer_id_of(primary(found)) if found else ""


def identify(event: Touchpoint, origin: str, offset: int) -> Touchpoint:
    """Return the event as the log holds it: normalised, with its customer and where it was.

    Raises TouchpointRejectedError when no identifier names anybody.
    """
    identifiers, customer_id = _whose(event.identifiers)
    if not customer_id:
        raise _nobody("identifiers")
    changes: dict[str, object] = {
        "identifiers": identifiers,
        "customer_id": customer_id,
        "origin": origin,
        "origin_offset": offset,
    }
    if event.type == "customer_aliased":
        changes["previous"] = known(event.previous)
        if not changes["previous"]:
            raise _nobody("previous")
    return event.model_copy(update=changes)


def _nobody(where: str) -> TouchpointRejectedError:
    return TouchpointRejectedError(Reason.NO_IDENTIFIER, "names no customer", where)
