"""What a command leads to, and the events that tell folds of it.

Their ids follow from the command, so one that is followed again says nothing new.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from models.events.clock import EPOCH
from models.events.codec import made
from models.events.system import CustomerMerged, CustomerRegrouped
from models.identity_rules import SHIPPED, Rules
from models.links.commands import Command, Link, Unmerge
from models.links.forest import Lookup, Merge, Place, Resolution
from models.links.joining import resolve
from models.links.parting import unmerge


def follow(command: Command, lookup: Lookup, offset: int, rules: Rules = SHIPPED) -> Resolution:
    """Return what a command at `offset` of identity-links changes.

    Raises TouchpointRejectedError on what a person asked for and that cannot be.
    """
    if isinstance(command, Unmerge):
        return unmerge(command, lookup, offset, rules)
    return resolve(command, lookup, rules, offset)


def told(
    command: Command, found: Resolution, origin: str, offset: int
) -> Iterator[CustomerMerged | CustomerRegrouped]:
    """Yield the events that a command leads to, each keyed by its customer."""
    if found.merge is not None and isinstance(command, Link):
        yield merged(command, found.merge, origin, offset, found.generation)
    if found.unmerge is not None:
        for place in found.regroups:
            yield regrouped(found.unmerge, place, origin, offset)


def merged(
    link: Link, merge: Merge, origin: str, offset: int, generation: int = -1
) -> CustomerMerged:
    """Return the event that tells the loser's fold where to forward to.

    `generation` is of the winner's group: the offset of the unmerge that it goes back to.
    """
    return made(
        CustomerMerged,
        # With the offset: after an unmerge the same two may be joined by the same names again.
        event_id=f"merged:{link.link_id}:{merge.loser}:{offset}",
        occurred_at=EPOCH + timedelta(milliseconds=link.at_ms),
        received_at=EPOCH + timedelta(milliseconds=link.received_ms),
        customer_id=merge.loser,
        origin=origin,
        origin_offset=offset,
        generation=generation,
        winner=merge.winner,
        loser=merge.loser,
        link_id=link.link_id,
    )


def regrouped(command: Unmerge, place: Place, origin: str, offset: int) -> CustomerRegrouped:
    """Return the event that tells a member its new place; `offset` is the new generation."""
    return made(
        CustomerRegrouped,
        event_id=f"regrouped:{command.unmerge_id}:{place.member}",
        occurred_at=EPOCH + timedelta(milliseconds=command.at_ms),
        received_at=EPOCH + timedelta(milliseconds=command.received_ms),
        customer_id=place.member,
        origin=origin,
        origin_offset=offset,
        root=place.root,
        generation=offset,
        others=place.others,
        unmerge_id=command.unmerge_id,
        by=command.by,
        reason=command.reason,
    )
