"""Who an event belongs to: the customer whom its identifiers name.

A customer's id follows from the strongest identifier of the event alone, so
naming one needs no lookup and never waits; links join customers afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

from models.errors import Reason, TouchpointRejectedError
from models.events.base import Identifier
from models.events.codec import changed
from models.events.union import Touchpoint
from models.identity_rules import SHIPPED, Rules
from models.spelling import known, normalise

__all__ = ["customer_id_of", "id_from", "identify", "known", "normalise", "primary", "rank_of"]

_REMEMBERED = 1 << 15  # names of late: customers come in visits, so the same ones come again


def rank_of(kind: str, rules: Rules = SHIPPED) -> int:
    """Return how strongly a type of identifier names a person: 0 is strongest."""
    return rules.ranks.get(kind, len(rules.ranks))


def id_from(spelt: str) -> str:
    """Return the id of the customer that "type:value" names, in its one spelling."""
    return f"c_{blake2b(spelt.encode(), digest_size=10).hexdigest()}"


@lru_cache(_REMEMBERED)
def customer_id_of(identifier: Identifier) -> str:
    """Return the id of the customer that a normalised identifier names."""
    return id_from(str(identifier))


def primary(identifiers: Iterable[Identifier], rules: Rules = SHIPPED) -> Identifier:
    """Return the strongest identifier, the first of its kind. Raises ValueError on none."""
    ranks = rules.ranks
    return min(identifiers, key=lambda one: ranks[one.type])


@lru_cache(_REMEMBERED)
def _whose(identifiers: tuple[Identifier, ...], rules: Rules) -> tuple[tuple[Identifier, ...], str]:
    """Return the identifiers that name somebody, and the customer; "" when there is none."""
    found = known(identifiers, rules)
    return found, customer_id_of(primary(found, rules)) if found else ""


def identify(event: Touchpoint, origin: str, offset: int, rules: Rules = SHIPPED) -> Touchpoint:
    """Return the event as the log holds it: normalised, with its customer and where it was.

    Raises TouchpointRejectedError when no identifier names anybody.
    """
    identifiers, customer_id = _whose(event.identifiers, rules)
    if not customer_id:
        raise _nobody("identifiers")
    if event.type == "customer_aliased":
        previous = known(event.previous, rules)
        if not previous:
            raise _nobody("previous")
        event = changed(event, previous=previous)
    identified: Touchpoint = changed(
        event,
        identifiers=identifiers,
        customer_id=customer_id,
        origin=origin,
        origin_offset=offset,
    )
    return identified


def _nobody(where: str) -> TouchpointRejectedError:
    return TouchpointRejectedError(Reason.NO_IDENTIFIER, "names no customer", where)
