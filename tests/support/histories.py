"""Events for the tests: `event` makes one of any kind, `histories` many, believable or not."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

import models.events as ev
from models.money import Money, SignedMoney

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANA = ev.Identifier(type="user_id", value="ana")


def named(text):
    """Return the identifier that is written "type:value"."""
    kind, _, value = text.partition(":")
    return ev.Identifier(type=kind, value=value)


def event(kind=ev.PageViewed, /, at=NOON, id="e1", who=(ANA,), **fields):
    """Make one event, as the steps hold it; required fields that do not matter are filled in."""
    needed = _NEEDED.get(kind, {})
    made = kind(
        event_id=id,
        occurred_at=at,
        received_at=fields.pop("received_at", max(at, NOON)),
        identifiers=who,
        **needed | fields,
    )
    return ev.lean(made)


def usd(amount, kind=Money):
    return kind(amount=Decimal(amount), currency="USD")


_NEEDED = {
    ev.PageViewed: {"path": "/"},
    ev.ScreenViewed: {"name": "home"},
    ev.SearchPerformed: {"query": "shoes"},
    ev.ContentViewed: {"content_id": "p1"},
    ev.Custom: {"name": "danced"},
    ev.VisitMade: {"kind": "branch"},
    ev.OrderPlaced: {"order_id": "o1", "total": usd("10.00")},
    ev.OrderReturned: {"order_id": "o1"},
    ev.OrderRefunded: {"order_id": "o1", "amount": usd("3.00")},
    ev.OrderDelivered: {"order_id": "o1"},
    ev.TicketOpened: {"ticket_id": "t1"},
    ev.TicketUpdated: {"ticket_id": "t1"},
    ev.TicketClosed: {"ticket_id": "t1"},
    ev.FeedbackGiven: {"kind": "nps", "score": 9},
    ev.OfferShown: {"offer": "upgrade"},
    ev.OfferAccepted: {"offer": "upgrade"},
    ev.OfferDeclined: {"offer": "upgrade"},
    ev.CustomerAliased: {"previous": (ev.Identifier(type="anonymous_id", value="a-1"),)},
    ev.ConsentChanged: {"purpose": "marketing", "granted": True},
    ev.GroupJoined: {"group_id": "acme"},
    ev.PointsEarned: {"points": 10},
    ev.PointsRedeemed: {"points": 5},
    ev.TierChanged: {"tier": "gold"},
    ev.CouponRedeemed: {"coupon": "SPRING"},
    ev.LeadCreated: {"lead_id": "l1"},
    ev.OpportunityChanged: {"opportunity_id": "l1", "stage": "won"},
    ev.SubscriptionStarted: {"subscription_id": "s1", "plan": "basic"},
    ev.SubscriptionRenewed: {"subscription_id": "s1"},
    ev.SubscriptionCancelled: {"subscription_id": "s1"},
}

# Few distinct names and times, so that events meet: same ticket, same instant, same trait.
times = st.one_of(st.integers(0, 200), st.integers(0, 5_000)).map(
    lambda hours: NOON + timedelta(hours=hours)
)
few = st.sampled_from([f"n{number}" for number in range(4)])
many = st.integers(0, 500).map("n{}".format)
money = st.builds(
    lambda minor, currency: Money.of_minor(minor, currency),
    st.integers(0, 10**9),
    st.sampled_from(["USD", "KRW", "KWD"]),
)
carts = st.fixed_dictionaries({"category": few | st.integers(1 - 2**63, 2**63 - 1) | st.just("")})
scalars = st.one_of(
    st.text(max_size=5), st.booleans(), st.integers(-(2**60), 2**60), st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
texts = st.none() | st.sampled_from(
    ["정말 친절해요", "다시는 안 사요. 환불해 주세요", "Great!", "slow and rude", "12345"]
)
waits = st.none() | st.floats(0, 5_000, allow_nan=False)


@st.composite
def orders(draw):
    """An order of several lines, in one currency."""
    total = draw(money)
    lines = tuple(
        ev.Line(
            sku=draw(many),
            category=draw(st.none() | many),
            quantity=draw(st.integers(1, 5)),
            price=total,
            cost=draw(st.none() | st.just(total)),
        )
        for _ in range(draw(st.integers(0, 3)))
    )
    margin = draw(st.none() | st.just(SignedMoney.of_minor(-total.minor, total.currency)))
    return ev.OrderPlaced, {"order_id": draw(few), "total": total, "lines": lines, "margin": margin}


def _of(kind, /, **fields):
    return st.fixed_dictionaries(fields).map(lambda drawn: (kind, drawn))


kinds = st.one_of(
    orders(),
    _of(ev.PageViewed, category=st.none() | many),
    _of(ev.ContentViewed, category=st.none() | many, content_id=few),
    _of(ev.ScreenViewed),
    _of(ev.SearchPerformed, category=st.none() | few),
    _of(ev.AppUsed),
    _of(ev.Custom, name=few),
    _of(ev.Custom, name=st.just("Product Added"), properties=carts),
    _of(ev.CallMade),
    _of(ev.CallReceived, wait_seconds=waits, notes=texts),
    _of(
        ev.VisitMade,
        wait_seconds=waits,
        notes=texts,
        kind=st.sampled_from(["branch", "technician"]),
    ),
    _of(ev.OrderRefunded, order_id=few, amount=money),
    _of(ev.OrderReturned, order_id=few, notes=texts),
    _of(ev.OrderDelivered, order_id=few),
    _of(ev.TicketOpened, ticket_id=many, subject=texts, text=texts),
    _of(ev.TicketUpdated, ticket_id=few, status=st.sampled_from(["open", "reopened"])),
    _of(ev.TicketClosed, ticket_id=many),
    _of(
        ev.FeedbackGiven,
        kind=st.sampled_from(["nps", "review"]),
        score=st.integers(1, 5),
        text=texts,
    ),
    _of(ev.MessageSent),
    _of(ev.MessageOpened),
    _of(ev.MessageClicked),
    _of(ev.OfferShown, offer=few),
    _of(ev.OfferAccepted, offer=few),
    _of(ev.OfferDeclined, offer=few),
    _of(ev.CustomerIdentified, traits=st.dictionaries(many, scalars, max_size=4)),
    _of(ev.CustomerAliased),
    _of(ev.ConsentChanged, purpose=few, granted=st.booleans()),
    _of(ev.GroupJoined, group_id=many),
    _of(ev.PointsEarned, points=st.integers(1, 99), program=many),
    _of(ev.PointsRedeemed, points=st.integers(1, 99), program=few),
    _of(ev.TierChanged, tier=few, program=few),
    _of(ev.CouponRedeemed),
    _of(ev.LeadCreated, lead_id=many),
    _of(ev.OpportunityChanged, opportunity_id=many, stage=few),
    _of(ev.SubscriptionStarted, subscription_id=many),
    _of(ev.SubscriptionRenewed, subscription_id=few),
    _of(ev.SubscriptionCancelled, subscription_id=few),
)
identifiers = st.builds(ev.Identifier, type=st.sampled_from(list(ev.IdentifierType)), value=many)
contexts = st.none() | st.builds(
    lambda source: ev.Context(campaign=ev.Campaign(source=source)), few
)


@st.composite
def histories(draw, min_size=0, max_size=40):
    """Events of one customer, each with an id of its own, in no order."""
    drawn = draw(
        st.lists(
            st.tuples(kinds, times, st.lists(identifiers, min_size=1, max_size=3), contexts),
            min_size=min_size,
            max_size=max_size,
        )
    )
    return [
        event(kind, at, f"e{number}", tuple(who), **fields, **_context(context))
        for number, ((kind, fields), at, who, context) in enumerate(drawn)
    ]


def _context(context):
    return {} if context is None else {"context": context}
