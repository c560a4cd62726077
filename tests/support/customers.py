"""Customers as the fold leaves them, for tests of what reads them."""

from msgspec.structs import replace

from models.customer import Customer, Episode, encode
from models.naming import derive
from models.profile import Moment, Profile, Trait, timeline
from models.records import Decision, Reason, Score
from projections.live import Record

NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000
ANA = "email:ana@example.com"


def customer(key: str = ANA, **over) -> Customer:
    """Make the customer that `key` names, seen once and nothing more."""
    profile = over.pop("profile", Profile(identifiers={key: NOW_MS}, events=1))
    known = {"offset": 7, "version": 1, "received_ms": NOW_MS, "profile": profile}
    return Customer(customer_id=derive(key), **known | over)


def rich(key: str = ANA, name: str = "Ana Lopez", probability: float = 0.82, **over) -> Customer:
    """Make a customer of whom much is known: risk, offer, an open alert, a timeline."""
    made = customer(key)
    profile = Profile(
        identifiers={key: NOW_MS - 90 * DAY_MS, "phone:01012345678": NOW_MS - 40 * DAY_MS},
        traits={
            "name": Trait(name, NOW_MS - 90 * DAY_MS, "e1", "shop"),
            "city": Trait("Austin", NOW_MS - 9 * DAY_MS, "e7", "call-centre"),
        },
        consents={"marketing": Trait(True, NOW_MS - DAY_MS, "e8", "web")},
        events=12,
        events_by_channel={"web": 8, "phone": 4},
        first_seen_ms=NOW_MS - 90 * DAY_MS,
        last_seen_ms=NOW_MS - 2 * DAY_MS,
        orders=3,
        items=5,
        revenue={"USD": 15_905, "KRW": 59_000},
        refunded={"USD": 1_000},
        refunds=1,
        tickets_opened={"t1": NOW_MS - DAY_MS, "t2": NOW_MS - 5 * DAY_MS},
        tickets_closed={"t2": NOW_MS - 3 * DAY_MS},
        recent=timeline(
            [
                Moment(NOW_MS - 2 * DAY_MS, "e12", "order_placed", "web", "3 x, 59.05 USD"),
                Moment(NOW_MS - 3 * DAY_MS, "e11", "call_received", "phone", "billing"),
            ]
        ),
    )
    risk = Score(
        score_id="s1",
        customer_id=made.customer_id,
        model="churn",
        model_version=4_200,
        at_ms=NOW_MS - DAY_MS,
        cause="e12",
        probability=probability,
        band="high" if probability >= 0.7 else "medium" if probability >= 0.5 else "low",
        horizon_days=30,
        reasons=[Reason("silence", 1.2, 11.5, 3.2), Reason("habit", -0.4, 14.0, 6.1, "visits")],
    )
    offer = Decision(
        decision_id="d1",
        customer_id=made.customer_id,
        at_ms=NOW_MS - DAY_MS,
        expires_ms=NOW_MS + 9_000 * DAY_MS,
        cause="e12",
        offer="double-points",
        channel="email",
        propensity=0.6,
        propensities={"double-points": 0.6, "none": 0.4},
        model_version=7,
        policy="thompson",
    )
    alert = Episode(number=1, status="open", opened_ms=NOW_MS - DAY_MS)
    known = {
        "version": 12,
        "applied": {"touchpoints/3": 120},
        "profile": profile,
        "risk": risk,
        "offer": offer,
        "episodes": {"churn_risk": alert},
    }
    return replace(made, **known | over)


def record(one: Customer, partition: int = 0) -> Record:
    """Return a customer as the message on `profiles`."""
    return Record(one.customer_id.encode(), encode(one), partition)


OFFERS = """
[[offers]]
id = "double-points"
name = { en = "Double points for a month", ko = "한 달간 포인트 두 배" }
channels = ["email", "app"]
value = 5.0
"""
