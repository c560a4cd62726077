"""Which links an event carries: names that it shows together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from models.events.base import Identifier
from models.events.union import Touchpoint
from models.identity import customer_id_of, primary
from models.identity_rules import DEVICES, SHIPPED, Rules
from models.links.commands import Kind, Link, called


def links_of(
    event: Touchpoint, new: Callable[[str], bool] | None = None, rules: Rules = SHIPPED
) -> Sequence[Link]:
    """Return the links that an identified event carries: of those whose id is `new`, if asked.

    An alias always does: said again, it counts again.
    """
    if event.type == "customer_aliased":
        joins, new = _joins(event.identifiers, rules, True, event.previous), None
    elif len(event.identifiers) == 1:
        return ()
    else:
        joins = _joins(event.identifiers, rules, event.type == "customer_identified")
    links: list[Link] = []
    for join in joins:
        if new is None or new(join[0]):
            links.append(Link(*join, event.event_id, event.occurred_ms, event.received_ms))
    return links


@lru_cache(1 << 15)  # a visit's events all carry the same links
def _joins(
    who: tuple[Identifier, ...],
    rules: Rules,
    stated: bool,
    previous: tuple[Identifier, ...] = (),
) -> tuple[tuple[str, Kind, str, str, str, str], ...]:
    """Return what these names join, as the first fields of `Link`."""
    main, ranks = primary(who, rules), rules.ranks
    joins = []
    for other in who:
        seen = ranks[main.type] < ranks[other.type] and other.type in DEVICES
        if other != main and (stated or seen):
            joins.append(_join(other, main, "identified" if stated else "observed"))
    joins += [_join(one, main, "aliased") for one in previous if one != main]
    return tuple(joins)


def _join(left: Identifier, right: Identifier, kind: Kind) -> tuple[str, Kind, str, str, str, str]:
    left_id, right_id = customer_id_of(left), customer_id_of(right)
    link_id = called("l", kind, left_id, right_id)
    return link_id, kind, left_id, left.type.value, right_id, right.type.value
