"""Episodes go back to the customer under whose id they were opened, after an unmerge.

They are no sum that the log gives again, so they belong to no generation: wherever they come,
they are held, or sent on to who is to hold them, until they are with their owner's root.
"""

from __future__ import annotations

from collections import defaultdict

import msgspec
from msgspec.structs import replace

from models.alerts import inherit
from models.customer import Customer, Episode
from models.events.codec import made
from models.events.system import EpisodesReturned
from models.events.union import Event
from models.reaction import Position, Reaction

_write = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(dict[str, Episode]).decode


def give_back(
    reaction: Reaction, held: Customer, cause: Event, at: Position, besides: tuple[str, ...]
) -> None:
    """Send what `held` holds back to the owners; those `besides` have theirs in another way."""
    owned: dict[str, dict[str, Episode]] = defaultdict(dict)
    for rule, episode in held.episodes.items():
        owner = episode.owner or held.customer_id
        if owner not in besides:
            owned[owner][rule] = episode
    for owner, episodes in owned.items():
        returned = made(
            EpisodesReturned,
            event_id=f"returned:{owner}:{at.partition}:{at.offset}",
            occurred_at=cause.occurred_at,
            received_at=cause.received_at,
            customer_id=owner,
            origin=at.origin,
            origin_offset=at.offset,
            generation=reaction.customer.generation,
            owner=owner,
            state=_write(episodes).decode(),
        )
        reaction.events.append(returned)


def take_back(reaction: Reaction, event: EpisodesReturned, at: Position) -> None:
    """Hold the episodes, or send them on to who is to hold them."""
    customer = reaction.customer
    if customer.merged_into is not None:
        _send_on(reaction, event, at, customer.merged_into, customer.towards)
        reaction.customer = replace(customer, forwarded=at.offset)
    elif event.owner != customer.customer_id and event.generation < customer.generation:
        # Sent within a group that is no more: its owner knows, or will, who is its root now.
        _send_on(reaction, event, at, event.owner, customer.generation)
    else:
        owner = Customer(customer_id=event.owner, episodes=_read(event.state))
        now, received = customer.clock_ms, event.received_ms
        reaction.customer, alerts = inherit(customer, owner, now, received, event.event_id)
        reaction.alerts += alerts


def _send_on(
    reaction: Reaction, event: EpisodesReturned, at: Position, to: str, generation: int
) -> None:
    onward = {
        "customer_id": to,
        "origin": at.origin,
        "origin_offset": at.offset,
        "generation": generation,
    }
    reaction.events.append(event.model_copy(update=onward))
