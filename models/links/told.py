"""The events that tell folds what the resolver decided; their ids follow from the command."""

from __future__ import annotations

from datetime import timedelta

from models.events.base import EPOCH
from models.events.codec import made
from models.events.system import CustomerMerged, CustomerRegrouped
from models.links.commands import Link, Unmerge
from models.links.forest import Merge, Place


def merged(
    link: Link, merge: Merge, origin: str, offset: int, generation: int = -1
) -> CustomerMerged:
    """Return the event that tells the loser's fold where to forward to.

    `generation` is of the winner's group: the offset of the unmerge that it goes back to.
    """
    return made(
        CustomerMerged,
        event_id=f"merged:{link.link_id}:{merge.loser}",
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
