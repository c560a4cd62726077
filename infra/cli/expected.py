"""What is expected of a customer, in lines for the terminal."""

from __future__ import annotations

from datetime import datetime

from infra.cli.api import Json
from infra.cli.times import ago


def expected(customer: Json, now: datetime) -> dict[str, object]:
    """Return lines by name of what is computed as of a moment; what is not known is left out."""
    told: dict[str, object] = {}
    if worth := customer["value"]:
        amounts = worth["clv"]["amounts"].items()
        told["within a year"] = " + ".join(f"{amount} {code}" for code, amount in amounts)
        purchase, following = worth["purchase"], worth["next_purchase"]
        told[f"order in {purchase['within_days']} d"] = f"{purchase['probability']:.0%}"
        late = ", overdue" if following["overdue"] else ""
        told["next order"] = (
            f"{ago(following['expected_at'], now)}, every {following['gap_days']:.0f} d{late}"
        )
        if worth["rfm"]["segment"]:
            told["segment"] = worth["rfm"]["segment"].replace("_", " ")
    if said := customer["sentiment"]:
        told["speaks of us"] = f"{said['mean']:+.2f}, {ago(said['newest_at'], now)}"
    if interests := customer["interests_now"]:
        told["interests"] = ", ".join(one["category"] for one in interests[:5])
    if with_it := customer["goes_with"]:
        told["goes with it"] = ", ".join(
            f"{one['product_id']} (with {one['bought_with']})" for one in with_it[:3]
        )
    return told
