"""A customer as the API shows it: ISO times, money as decimal strings, nothing internal.

The names here are what other programs rely on: add, never rename.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter

from models.contracts import ends_ms, over_ms
from models.customer import Customer
from models.naming import id_of
from models.profile import Profile, Trait, moments
from models.terms import Contract
from projections.serve.conclusions import episode, offer, scores
from projections.serve.written import Json, amounts, instant


def whole(customer: Customer) -> Json:
    """Return everything about a customer."""
    profile = customer.profile
    return {
        **head(customer),
        "identifiers": identifiers(profile),
        "traits": stated(profile.traits),
        "consents": stated(profile.consents),
        "computed": computed(profile),
        "scores": scores(customer),
        "offer": offer(customer.offer),
        "episodes": [episode(rule, one) for rule, one in sorted(customer.episodes.items())],
        "products": [
            {"product_id": product, "last_bought_at": instant(at)}
            for product, at in sorted(profile.products.items(), key=lambda one: -one[1])
        ],
        "interests": dict(sorted(profile.interests.items(), key=lambda one: -one[1])),
        "open_tickets": open_tickets(profile),
        "groups": sorted(profile.groups),
        "points": profile.points,
        "tiers": stated(profile.tiers),
        "opportunities": stated(profile.opportunities),
        "subscriptions": stated(profile.subscriptions),
        "contracts": contracts(customer.contracts),
        "feedback": stated(profile.feedback),
        "subscription": profile.subscription and said(profile.subscription),
        "attribution": {
            "first": profile.attribution_first and said(profile.attribution_first),
            "last": profile.attribution_last and said(profile.attribution_last),
        },
        "timeline": timeline(profile),
    }


def head(customer: Customer) -> Json:
    """Return what names a customer and the state of what is known."""
    return {
        "customer_id": customer.customer_id,
        "version": customer.version,
        "complete": customer.regroup is None,
        "updated_at": instant(customer.received_ms or None),
        "merged_from": list(customer.absorbed),
        "observed_until": instant(customer.observed_until_ms),
    }


def identifiers(profile: Profile) -> list[Json]:
    """Return the names that a customer goes by, oldest first."""
    return [
        {"type": kind, "value": value, "first_seen_at": instant(at)}
        for (kind, value), at in [
            (one.split(":", 1), at)
            for one, at in sorted(profile.identifiers.items(), key=itemgetter(1))
        ]
    ]


def identity(customer: Customer) -> Json:
    """Return who this one customer is: its members, and every identifier with whom it names.

    A member's id follows from one identifier; the others only came along with it.
    """
    members = dict.fromkeys((customer.customer_id, *customer.absorbed))
    known = identifiers(customer.profile)
    whose = {_named(one): one for one in known}
    return {
        "generation": None if customer.generation < 0 else customer.generation,
        "members": [{"customer_id": member, "identifier": whose.get(member)} for member in members],
        "identifiers": [
            one | {"customer_id": named if (named := _named(one)) in members else None}
            for one in known
        ],
    }


def _named(one: Json) -> str:
    return id_of(f"{one['type']}:{one['value']}")


def said(trait: Trait) -> Json:
    """Return a stated fact with when and by what it was said."""
    return {
        "value": trait.value,
        "updated_at": instant(trait.at_ms),
        "source": trait.source,
        "event_id": trait.event_id,
    }


def stated(traits: Mapping[str, Trait]) -> dict[str, Json]:
    """Return stated facts by name."""
    return {name: said(trait) for name, trait in sorted(traits.items())}


def computed(profile: Profile) -> Json:
    """Return what was counted and summed over the customer's touchpoints."""
    return {
        "events": profile.events,
        "events_by_type": profile.events_by_type,
        "events_by_channel": profile.events_by_channel,
        "first_seen_at": instant(profile.first_seen_ms),
        "last_seen_at": instant(profile.last_seen_ms),
        "orders": profile.orders,
        "items": profile.items,
        "revenue": amounts(profile.revenue),
        "refunded": amounts(profile.refunded),
        "margin": amounts(profile.margin),
        "refunds": profile.refunds,
        "returns": profile.returns,
        "first_order_at": instant(profile.first_order_ms),
        "last_order_at": instant(profile.last_order_ms),
        "messages_sent": profile.messages_sent,
        "messages_opened": profile.messages_opened,
        "messages_clicked": profile.messages_clicked,
        "offers_shown": profile.offers_shown,
        "offers_accepted": profile.offers_accepted,
        "offers_declined": profile.offers_declined,
        "wait_seconds": profile.wait_seconds,
    }


def contracts(of: Mapping[str, Contract]) -> list[Json]:
    """Return the contracts, the newest first."""
    return [
        {
            "subscription_id": id,
            "started_at": instant(one.first.at_ms),
            "renewals": one.renewals,
            "renews_at": instant(ends_ms(one)),
            "over_at": instant(over_ms(one)),
            "cancelled": one.last.what == "cancelled",
        }
        for id, one in sorted(of.items(), key=lambda pair: -pair[1].first.at_ms)
    ]


def open_tickets(profile: Profile) -> list[Json]:
    """Return the tickets that were opened and not closed since, oldest first."""
    still = [(profile.tickets_opened[ticket], ticket) for ticket in profile.open_tickets]
    return [{"ticket_id": ticket, "opened_at": instant(at)} for at, ticket in sorted(still)]


def timeline(profile: Profile) -> list[Json]:
    """Return the newest moments, newest first."""
    return [
        {
            "occurred_at": instant(one.at_ms),
            "event_id": one.event_id,
            "type": one.type,
            "channel": one.channel or None,
            "summary": one.summary,
        }
        for one in moments(profile.recent)
    ]
