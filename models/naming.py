"""How people and programs name a customer: a customer id, or "type:value" of an identifier.

Read as the log spells it, so that whoever asks finds what the stream derived. Nothing asked for is
remembered here: thousands of identifiers kept are as many objects that garbage is looked for in.
"""

from __future__ import annotations

import re
from typing import Final

from models.events.base import Identifier, IdentifierType
from models.identity import id_from, normalise
from models.identity_rules import SHIPPED, Rules

CUSTOMER_ID: Final = re.compile(r"c_[0-9a-f]{20}")


def identifier_of(text: str, rules: Rules = SHIPPED) -> Identifier | None:
    """Read "type:value" as the log spells it; None when it can name nobody."""
    kind, _, value = text.partition(":")
    try:
        return normalise(Identifier(type=IdentifierType(kind), value=value), rules)
    except ValueError:  # no such kind, or a value that no identifier can have
        return None


def id_of(spelt: str) -> str:
    """Return the customer id that "type:value" names, in the one spelling that profiles have."""
    kind, _, value = spelt.partition(":")
    return id_from(str(Identifier(type=IdentifierType(kind), value=value)))


def derive(text: str, rules: Rules = SHIPPED) -> str | None:
    """Return the customer id that a text names by itself; None when it names none."""
    if text.startswith("c_"):
        return text
    identifier = identifier_of(text, rules)
    return id_from(str(identifier)) if identifier else None
