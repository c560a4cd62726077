"""Identifiers made comparable: each in its one spelling, or found to name nobody.

A customer's id follows from the spelling, so it may never change for a value that
was accepted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final
from unicodedata import normalize

from models.events.base import Identifier, IdentifierType
from models.identity_rules import SHIPPED, Rules

_NOT_DIGITS: Final = re.compile(r"\D")
_FEWEST_DIGITS, _MOST_DIGITS = 5, 15
_SYSTEM: Final = re.compile(r"[^\s:]+")


def normalise(identifier: Identifier, rules: Rules = SHIPPED) -> Identifier | None:
    """Return the identifier in its one spelling; None when it names nobody."""
    value = _spelt(identifier.type, identifier.value, rules)
    if not value:
        return None
    spelt = value == identifier.value
    return identifier if spelt else identifier.model_copy(update={"value": value})


def known(identifiers: Iterable[Identifier], rules: Rules = SHIPPED) -> tuple[Identifier, ...]:
    """Return those that name somebody, in their one spelling, each once."""
    spelt = (normalise(one, rules) for one in identifiers)
    return tuple(dict.fromkeys(filter(None, spelt)))


def _spelt(kind: IdentifierType, value: str, rules: Rules) -> str:
    text = value.strip() if value.isascii() else normalize("NFKC", value).strip()
    if not text or rules.blocks(kind, text):
        return ""
    form = _FORMS.get(kind)
    if form is None:
        return text
    spelt = form(text, rules)
    return "" if spelt != text and rules.blocks(kind, spelt) else spelt


def _email(text: str, rules: Rules) -> str:
    local, at, domain = text.casefold().rpartition("@")
    return f"{local}@{domain.rstrip('.')}" if at and local and domain else ""


def _card(text: str, rules: Rules) -> str:
    return re.sub(r"[\s-]", "", text).upper()


def _device(text: str, rules: Rules) -> str:
    return text.casefold()  # the same id is upper case on one platform


def _external(text: str, rules: Rules) -> str:
    """Spell "system:id": the system in lower case, the id as it is there."""
    system, _, own = (part.strip() for part in text.partition(":"))
    if not _SYSTEM.fullmatch(system) or not own:
        return ""
    if rules.blocks(IdentifierType.EXTERNAL_ID, own):
        return ""
    return f"{system.casefold()}:{own}"


def _phone(text: str, rules: Rules) -> str:
    return _dialled(text, rules.phone_region)


@lru_cache(1 << 14)
def _dialled(text: str, region: str) -> str:
    """Return a number as E.164; its digits alone when nobody says which country it is of."""
    abroad = text.startswith("00")  # dialled from one country into another
    found = _e164(text, region) if region or text.startswith("+") else ""
    if not found and abroad:
        found = _e164(f"+{text[2:]}", "")
    if found or region or abroad or text.startswith("+"):
        return found
    digits = _NOT_DIGITS.sub("", text)
    return digits if _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS else ""


def _e164(text: str, region: str) -> str:
    import phonenumbers  # numbering plans take 60 ms to import, and many starts need none

    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


_FORMS: Final[dict[IdentifierType, Callable[[str, Rules], str]]] = {
    IdentifierType.EMAIL: _email,
    IdentifierType.PHONE: _phone,
    IdentifierType.LOYALTY_CARD: _card,
    IdentifierType.EXTERNAL_ID: _external,
    IdentifierType.DEVICE_ID: _device,
}
