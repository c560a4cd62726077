"""What customers do: one function a kind of session, and how often each comes.

A scene changes the person (an order exists now, a ticket is open) and says it.
"""

from __future__ import annotations

from collections.abc import Callable

from infra.simulator import words
from infra.simulator.care import ask, call, rate, visit
from infra.simulator.people import Order, Person, Sector
from infra.simulator.scene import Scene, stamp

Act = Callable[[Scene], None]


def browse(scene: Scene) -> None:
    """Look around on the web, sometimes from a campaign."""
    person, rng = scene.person, scene.rng
    goods = words.DEVICES if person.sector == "telecom" else words.PRODUCTS
    scene.say("page_viewed", "web", "browser", path="/", title="Home")
    if rng.random() < 0.3:
        name, source, medium = rng.choice(words.CAMPAIGNS)
        scene.said[-1].event["context"] = {
            "campaign": {"name": name, "source": source, "medium": medium}
        }
    if rng.random() < 0.4:
        query = scene.words(words.SEARCHES)
        scene.say("search_performed", "web", "browser", query=query, results=rng.randint(0, 60))
    for product in rng.sample(goods, rng.randint(1, 3)):
        title = product.ko if person.language == "ko" else product.en
        scene.say(
            "content_viewed",
            "web",
            "browser",
            content_id=product.sku,
            title=title,
            category=product.category,
        )


def meet(scene: Scene) -> None:
    """Say who one is: the browser's past becomes the customer's."""
    person, rng = scene.person, scene.rng
    person.known = True
    scene.say("page_viewed", "web", "browser", path="/signup", title="Sign up")
    scene.say("customer_identified", "web", "all", traits=_traits(person))
    for purpose, share in (("marketing", 0.75), ("email", 0.8), ("analytics", 0.9)):
        scene.say("consent_changed", "web", "person", purpose=purpose, granted=rng.random() < share)
    if person.sector == "telecom":
        sign(scene)


def _traits(person: Person) -> dict[str, object]:
    return {
        "name": person.name,
        "email": person.email,
        "phone": person.phone,
        "age": person.age,
        "city": person.city,
        "language": person.language,
        "segment": person.sector,
    }


def shop(scene: Scene) -> None:
    """Look, then buy one to three things; delivery follows within days."""
    person, rng = scene.person, scene.rng
    browse(scene)
    goods = words.DEVICES if person.sector == "telecom" else words.PRODUCTS
    basket = rng.sample(goods, rng.choice((1, 1, 2, 3)))
    lines = [
        {
            "sku": product.sku,
            "name": product.ko if person.language == "ko" else product.en,
            "category": product.category,
            "quantity": 1,
            "price": scene.money(product.price),
            "cost": scene.money(product.cost),
        }
        for product in basket
    ]
    dollars = sum(product.price for product in basket)
    order = Order(scene.name("o"), basket[0].sku, dollars)
    person.orders = [*person.orders[-9:], order]
    scene.say(
        "order_placed",
        "web",
        "browser",
        schema_version=2,
        order_id=order.order_id,
        total=scene.money(dollars),
        lines=lines,
        payment=rng.choice(("card", "kakaopay", "transfer")),
    )
    if rng.random() < 0.6:
        points = max(1, dollars // 10)
        scene.say("points_earned", "server", "card", points=points, order_id=order.order_id)


def receive(scene: Scene) -> None:
    """Get the newest order; now and then send it back or want the money back."""
    person, rng = scene.person, scene.rng
    order = next((order for order in reversed(person.orders) if not order.delivered), None)
    if order is None:
        return browse(scene)
    order.delivered = True
    scene.say("order_delivered", "server", "person", order_id=order.order_id, carrier="CJ")
    if rng.random() < 0.12:
        scene.wait(86_400, 3 * 86_400)
        back = [{"sku": order.sku, "quantity": 1}]
        scene.say("order_returned", "branch", "card", order_id=order.order_id, lines=back)
        refund = scene.money(order.amount)
        scene.say("order_refunded", "server", "person", order_id=order.order_id, amount=refund)
        person.refunded_ms = scene.at_ms
    return None


def use_app(scene: Scene) -> None:
    """Open the app and look at a few screens."""
    rng = scene.rng
    version = rng.choice(("5.1.0", "5.2.0"))
    scene.say("app_used", "app", "app", version=version, duration_seconds=rng.randint(20, 600))
    for name in rng.sample(("home", "bill", "orders", "benefits", "settings"), rng.randint(1, 3)):
        scene.say("screen_viewed", "app", "app", name=name)


def get_message(scene: Scene) -> None:
    """Get a campaign's message; perhaps open it, perhaps follow it."""
    rng = scene.rng
    campaign = rng.choice(words.CAMPAIGNS)[0]
    about = {"message_id": scene.name("m"), "campaign": campaign}
    scene.say("message_sent", "email", "email", **about)
    if rng.random() < 0.45:
        scene.wait(60, 7_200)
        scene.say("message_opened", "email", "email", **about)
        if rng.random() < 0.3:
            scene.say("message_clicked", "email", "email", **about)


def sign(scene: Scene) -> None:
    """Begin a contract, for a month or for a year at a time; some on trial."""
    person, rng = scene.person, scene.rng
    person.plan, price = rng.choice(words.PLANS)
    person.yearly = rng.random() < 0.3
    person.renews_ms = scene.at_ms + _term_ms(person)
    scene.say(
        "subscription_started",
        "web",
        "person",
        **_term(scene, price),
        trial=rng.random() < 0.1,
    )


def renew(scene: Scene) -> None:
    """Go into another term: who does not want it has left before."""
    person = scene.person
    price = dict(words.PLANS)[str(person.plan)]
    person.renews_ms += _term_ms(person)
    scene.say(
        "subscription_renewed",
        "server",
        "person",
        **_term(scene, price),
    )


def cancel(scene: Scene) -> None:
    """Leave with notice: the contract is cancelled, and runs to the end of its term."""
    person = scene.person
    scene.say(
        "subscription_cancelled",
        "phone",
        "person",
        subscription_id=f"sub-{person.index}",
        plan=person.plan,
        cause=scene.words(words.BLAME),
        ends_at=stamp(person.renews_ms),
    )


def _term(scene: Scene, price: int) -> dict[str, object]:
    """Return what the contract is for its next term; a year costs ten months."""
    person = scene.person
    return {
        "subscription_id": f"sub-{person.index}",
        "plan": person.plan,
        "price": scene.money(price * (10 if person.yearly else 1)),
        "period": "year" if person.yearly else "month",
        "renews_at": stamp(person.renews_ms),
    }


def _term_ms(person: Person) -> int:
    return (365 if person.yearly else 30) * 86_400_000


def offer(
    scene: Scene, offer_id: str, decision_id: str, channel: str, *, taken: bool | None
) -> None:
    """Be shown an offer; take it, refuse it, or (None) say nothing."""
    about = {"offer": offer_id, "decision_id": decision_id}
    scene.say("offer_shown", channel, "person", **about)
    if taken is not None:
        scene.say("offer_accepted" if taken else "offer_declined", channel, "person", **about)
    if taken:
        scene.person.content_ms = scene.at_ms


OFTEN: dict[Sector, dict[Act, float]] = {
    "telecom": {
        use_app: 30, browse: 14, get_message: 18, call: 10, shop: 4, receive: 4,
        visit: 5, ask: 6, rate: 4,
    },
    "retail": {
        browse: 28, shop: 20, use_app: 14, get_message: 18, receive: 10,
        visit: 6, call: 4, ask: 5, rate: 5,
    },
}  # fmt: skip
_LOOKS = (browse, use_app, get_message)
_SELDOM = 20.0
_ANSWERED = 12.0


def busy(person: Person) -> dict[Act, float]:
    """Return how often each kind of session comes on a day on which people come all the time.

    They look around as often as they like, but order, call or complain hardly more than on
    another day; and who waits for an answer gets it soon.
    """
    acts = {
        act: weight if act in _LOOKS else weight / _SELDOM
        for act, weight in OFTEN[person.sector].items()
    }
    return acts if person.ticket is None else acts | {ask: _ANSWERED}
