"""Events and examples as their logs hold them, seeded."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from models.events import (
    Context,
    CustomerMerged,
    CustomerRegrouped,
    Identifier,
    Line,
    OfferShown,
    OrderPlaced,
    OrderRefunded,
    PageViewed,
    SearchPerformed,
    encode_event,
)
from models.money import Money
from models.records import Example, pack

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def money(amount: str, currency: str = "USD") -> Money:
    return Money(amount=Decimal(amount), currency=currency)


def envelope(number: int, customer: str, at: datetime, **more) -> dict:
    return {
        "event_id": f"e{number}",
        "occurred_at": at,
        "received_at": at + timedelta(seconds=2),
        "source": "shop",
        "customer_id": customer,
        "origin": "touchpoints/0",
        "origin_offset": number,
        "identifiers": (Identifier(type="email", value=f"{customer}@example.com"),),
        **more,
    }


def order(number: int, customer: str, at: datetime, total: str, **more) -> OrderPlaced:
    lines = (
        Line(sku="tea", category="drinks", quantity=2, price=money(total), cost=money("1.50")),
        Line(sku="cup", price=money("3.25"), cost=money("1.00")),
    )
    return OrderPlaced(
        **envelope(number, customer, at, **more),
        order_id=f"o{number}",
        total=money(total),
        lines=lines,
    )


def history(count: int, customers: int, seed: int = 1) -> list:
    """Return `count` events of so many customers over five months, in no order of time."""
    dice = random.Random(seed)
    events = []
    for number in range(count):
        customer = f"c_{dice.randrange(customers):020d}"
        at = START + timedelta(minutes=dice.randrange(150 * 24 * 60))
        kind = dice.random()
        if kind < 0.5:
            given = envelope(number, customer, at, context=Context(locale="ko-KR", ip="10.0.0.9"))
            events.append(PageViewed(**given, path="/p", category="drinks"))
        elif kind < 0.7:
            events.append(SearchPerformed(**envelope(number, customer, at), query="green tea"))
        elif kind < 0.9:
            total = f"{dice.randrange(500, 99_999) / 100:.2f}"
            events.append(order(number, customer, at, total))
        elif kind < 0.95:
            given = envelope(number, customer, at)
            events.append(OrderRefunded(**given, order_id="o1", amount=money("2.50")))
        else:
            events.append(OfferShown(**envelope(number, customer, at), offer="tea-club"))
    return events


def merged(number: int, loser: str, winner: str, **more) -> CustomerMerged:
    return CustomerMerged(
        event_id=f"m{number}",
        occurred_at=START,
        received_at=START,
        customer_id=loser,
        loser=loser,
        winner=winner,
        link_id=f"l{number}",
        **more,
    )


def regrouped(number: int, member: str, root: str, others: int = 0) -> CustomerRegrouped:
    """Return the place that the unmerge at offset `number` of identity-links gave a member."""
    return CustomerRegrouped(
        event_id=f"r{number}:{member}",
        occurred_at=START,
        received_at=START,
        customer_id=member,
        origin="identity-links/0",
        origin_offset=number,
        root=root,
        generation=number,
        others=others,
        unmerge_id=f"u{number}",
        by="Kim Minji",
        reason="ana@example.com is another person",
    )


def messages(events: list) -> list:
    """Return (key, value) for each event."""
    return [(event.customer_id.encode(), encode_event(event)) for event in events]


def example(number):
    """A labelled example of the churn model, as its log has it."""
    made = Example(
        example_id=f"churn:{number}",
        customer_id=f"c_{number % 50}",
        model="churn",
        model_version=0,
        at_ms=number,
        label_ms=number + 1,
        features=pack({"silence": number % 7 / 2, "visits": float(number % 3)}),
        label=float(number % 7 > 3),
        probability=0.5,
    )
    return (b"churn", msgspec.json.encode(made))
