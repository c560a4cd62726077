"""What a touchpoint was about, in one short line that belongs to no language.

Only facts of the event itself: the reader's language is put around them where they are shown.
"""

from __future__ import annotations

from typing import Final

from models.events.union import Touchpoint

_LONGEST: Final = 120

# The first of these fields that an event has says what it was about.
_TELLING: Final[dict[str, tuple[str, ...]]] = {
    "call_received": ("topic", "outcome"),
    "call_made": ("topic", "outcome"),
    "visit_made": ("place", "purpose", "kind"),
    "order_returned": ("order_id",),
    "order_refunded": ("order_id",),
    "order_delivered": ("order_id",),
    "app_used": ("action",),
    "page_viewed": ("title", "path"),
    "screen_viewed": ("name",),
    "search_performed": ("query",),
    "content_viewed": ("title", "content_id"),
    "message_sent": ("subject", "campaign", "template"),
    "message_opened": ("subject", "campaign", "template"),
    "message_clicked": ("subject", "campaign", "template"),
    "ticket_opened": ("subject", "topic", "ticket_id"),
    "ticket_updated": ("status",),
    "ticket_closed": ("resolution",),
    "offer_shown": ("offer",),
    "offer_accepted": ("offer",),
    "offer_declined": ("offer",),
    "group_joined": ("group_id",),
    "points_earned": ("points",),
    "points_redeemed": ("points",),
    "tier_changed": ("tier",),
    "coupon_redeemed": ("coupon",),
    "lead_created": ("interest", "lead_id"),
    "opportunity_changed": ("stage",),
    "subscription_started": ("plan",),
    "subscription_renewed": ("plan",),
    "subscription_cancelled": ("cause", "plan"),
    "custom": ("name",),
}


def summary(event: Touchpoint) -> str:
    """Return the line, at most 120 characters; empty when there is nothing to tell."""
    if event.type in _TELLING:
        return _first_told(event)
    match event.type:
        case "order_placed":
            return f"{event.units} x, {event.total.amount} {event.total.currency}"
        case "feedback_given":
            return f"{event.kind} {event.score:g}"
        case "consent_changed":
            return f"{event.purpose} {'+' if event.granted else '-'}"
        case "customer_aliased":
            return str(event.previous[0])
        case _:
            return ""


def _first_told(event: Touchpoint) -> str:
    for name in _TELLING[event.type]:
        value = getattr(event, name)
        if value is not None:
            return str(value)[:_LONGEST]
    return ""
