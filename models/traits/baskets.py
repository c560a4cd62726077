"""An order as an example for the model of what is bought together."""

from __future__ import annotations

from models.events.commerce import OrderPlaced
from models.online.affinity import AFFINITY, basket
from models.profile import Profile
from models.records import Example


def examples(customer_id: str, before: Profile, event: OrderPlaced, at_ms: int) -> list[Example]:
    """Return the example that an order is; none when it pairs nothing.

    `before` is the profile without the order: what the customer had goes with what he buys.
    """
    had = before.products
    lately = sorted(had, key=lambda product: (-had[product], product))
    features = basket((line.sku for line in event.lines), lately)
    if features is None:
        return []
    return [
        Example(
            example_id=f"{AFFINITY}:{customer_id}:{event.event_id}",
            customer_id=customer_id,
            model=AFFINITY,
            model_version=0,
            at_ms=at_ms,
            label_ms=at_ms,
            features=features,
            label=1.0,
            probability=1.0,
        )
    ]
