"""Names of `track` calls that Segment's specs define, as typed events.

A name commits to its fields: "Order Completed" without an order id is rejected,
not counted as something else. Names of nobody's spec become `custom`.
"""

from __future__ import annotations

from collections.abc import Callable

from models.wire.reading import Json, given, short, text


def track(name: str, said: Json) -> Json:
    """Return the native fields of a track call; what has no field of its own is kept."""
    build = _TRACKS.get(name.casefold())
    if build is None:
        return {"type": "custom", "name": name, "properties": said}
    return build(said) | {"properties": said}


def _first(said: Json, *names: str) -> object:
    """Take all of these out; return the first that has a value."""
    found = None
    for name in names:
        value = said.pop(name, None)
        if found is None and value != "":
            found = value
    return found


def _id(said: Json, *names: str) -> str | None:
    return text(_first(said, *names))


def _word(said: Json, *names: str) -> str | None:
    return short(_first(said, *names))


def _money(amount: object, currency: object) -> Json | None:
    return None if amount is None else given(amount=amount, currency=currency)


def _order_completed(said: Json) -> Json:
    currency = _first(said, "currency")
    products = _first(said, "products")
    return given(
        type="order_placed",
        order_id=_id(said, "order_id", "checkout_id"),
        total=_money(_first(said, "total", "value", "revenue"), currency),
        lines=_lines(products, currency),
        discount=_money(_first(said, "discount"), currency),
        shipping=_money(_first(said, "shipping"), currency),
        tax=_money(_first(said, "tax"), currency),
        coupon=_word(said, "coupon"),
        payment=_word(said, "payment_method"),
    )


def _lines(products: object, currency: object) -> object:
    if not isinstance(products, list):
        return products
    return [_line(item, currency) if isinstance(item, dict) else item for item in products]


def _line(item: Json, currency: object) -> Json:
    return given(
        sku=_id(item, "product_id", "sku"),
        name=short(item.get("name")),
        category=short(item.get("category")),
        brand=short(item.get("brand")),
        variant=short(item.get("variant")),
        quantity=item.get("quantity"),
        price=_money(item.get("price"), currency),
        url=short(item.get("url"), 2_000),
    )


def _order_refunded(said: Json) -> Json:
    amount, currency = _first(said, "total", "value", "revenue"), _first(said, "currency")
    return given(
        type="order_refunded", order_id=_id(said, "order_id"), amount=_money(amount, currency)
    )


def _products_searched(said: Json) -> Json:
    return given(
        type="search_performed",
        query=_word(said, "query"),
        results=_first(said, "results", "result_count"),
        category=_word(said, "category"),
    )


def _product_viewed(said: Json) -> Json:
    return given(
        type="content_viewed",
        kind="product",
        content_id=_id(said, "product_id", "sku"),
        title=_word(said, "name"),
        category=_word(said, "category"),
        brand=_word(said, "brand"),
    )


def _list_viewed(said: Json) -> Json:
    category = _word(said, "category")
    identity = _id(said, "list_id") or category
    return given(type="content_viewed", kind="list", content_id=identity, category=category)


def _product_reviewed(said: Json) -> Json:
    return given(
        type="feedback_given",
        kind="review",
        score=_first(said, "rating"),
        text=_first(said, "review_body"),
        about=_word(said, "product_id"),
    )


def _promotion_viewed(said: Json) -> Json:
    return given(type="offer_shown", offer=_id(said, "promotion_id", "name"))


def _coupon_applied(said: Json) -> Json:
    amount, currency = _first(said, "discount"), _first(said, "currency")
    return given(
        type="coupon_redeemed",
        coupon=_id(said, "coupon_id", "coupon_name"),
        order_id=_id(said, "order_id"),
        discount=_money(amount, currency) if currency else None,
    )


def _message(kind: str, channel: str) -> Callable[[Json], Json]:
    def build(said: Json) -> Json:
        fields = given(
            type=kind,
            channel=channel,
            message_id=_id(said, "email_id", "message_id"),
            campaign=_word(said, "campaign_name", "campaign_id"),
            subject=_word(said, "email_subject"),
        )
        url = _first(said, "link_url") if kind == "message_clicked" else None
        return fields | given(url=short(url, 2_000))

    return build


def _app(action: str) -> Callable[[Json], Json]:
    return lambda said: given(type="app_used", action=action, version=_word(said, "version"))


_TRACKS: dict[str, Callable[[Json], Json]] = {
    "order completed": _order_completed,
    "order refunded": _order_refunded,
    "products searched": _products_searched,
    "product viewed": _product_viewed,
    "product list viewed": _list_viewed,
    "product list filtered": _list_viewed,
    "product reviewed": _product_reviewed,
    "promotion viewed": _promotion_viewed,
    "coupon applied": _coupon_applied,
    "email delivered": _message("message_sent", "email"),
    "email opened": _message("message_opened", "email"),
    "email link clicked": _message("message_clicked", "email"),
    "push notification received": _message("message_sent", "push"),
    "push notification tapped": _message("message_clicked", "push"),
    "application installed": _app("installed"),
    "application opened": _app("opened"),
    "application updated": _app("updated"),
    "application backgrounded": _app("backgrounded"),
    "application crashed": _app("crashed"),
}
