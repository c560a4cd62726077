"""Values as people read them: money, shares, times, and reasons in words."""

from __future__ import annotations

import re
from decimal import Decimal

from markupsafe import Markup

from models.money import exponent
from projections.serve.console.words import Words
from projections.serve.written import instant

_SIGNS = {"USD": "$", "KRW": "₩", "EUR": "€", "GBP": "£", "JPY": "¥"}
_KINDS = {
    "contact": ("call_received", "call_made", "visit_made"),
    "money": (
        "order_placed",
        "order_delivered",
        "subscription_started",
        "subscription_renewed",
        "points_earned",
        "points_redeemed",
        "coupon_redeemed",
        "tier_changed",
    ),
    "trouble": (
        "order_returned",
        "order_refunded",
        "ticket_opened",
        "ticket_updated",
        "ticket_closed",
        "subscription_cancelled",
    ),
    "voice": ("feedback_given", "consent_changed", "customer_identified", "customer_aliased"),
    "offer": ("offer_shown", "offer_accepted", "offer_declined", "message_clicked"),
}
_KIND_OF = {event: kind for kind, events in _KINDS.items() for event in events}
_BOUGHT = re.compile(r"(\d+) x, ([\d.]+) ([A-Z]{3})")
# Summaries of these events are words of a fixed list, so they have a translation.
_WORDED = {"ticket_updated", "ticket_closed", "visit_made", "call_received", "call_made"}


def money(minor: int, currency: str) -> str:
    """Write an amount: "$59.00", "₩59,000", "59.00 CHF"."""
    digits = exponent(currency)
    text = f"{Decimal(minor).scaleb(-digits):,.{digits}f}"
    sign = _SIGNS.get(currency)
    if sign is None:
        return f"{text} {currency}"
    return f"-{sign}{text[1:]}" if text.startswith("-") else sign + text


def sums(amounts: dict[str, int]) -> str:
    """Write amounts of several currencies, the largest first."""
    ordered = sorted(amounts.items(), key=lambda one: -one[1])
    return " + ".join(money(minor, currency) for currency, minor in ordered) or "–"


def percent(share: float) -> str:
    """Write a share: "73%"; near the ends one digit more, since 0 % and 100 % would lie."""
    return f"{share:.1%}" if 0 < share < 0.01 or 0.99 < share < 1 else f"{share:.0%}"


def signed(number: float, digits: int = 2) -> str:
    """Write a difference with its sign: "+1.25"."""
    return f"{number:+z,.{digits}f}"


def whole_number(number: float) -> str:
    """Write a count, or an amount without decimals: "12,345"; never "-0"."""
    return f"{number:z,.0f}"


def said(value: object) -> str:
    """Write a stated value: a number without the decimals it does not have."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def short(number: float) -> str:
    """Write a count for a narrow place: "12.3k", "4.5M"."""
    for size, sign in ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k")):
        if abs(number) >= size:
            unit = 1_000 if sign == "k" else size
            return f"{number / unit:.1f}".removesuffix(".0") + sign
    return whole_number(number)


def span(ms: float, words: Words) -> str:
    """Write how long something took: "340 ms", "2.1 s", "3 days"."""
    for size, unit in ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute")):
        if ms >= size:
            return words.count(unit, ms / size)
    if ms >= 1000:
        return words.count("second", ms / 1000)
    return words.count("millisecond", round(ms) if ms >= 10 else ms)


def moment(ms: int | None) -> Markup:
    """Write a time that the script shows as "3 minutes ago", in the reader's own zone."""
    iso = instant(ms)
    if iso is None:
        return Markup("–")
    plain = f"{iso[:10]} {iso[11:16]} UTC"
    return Markup('<time datetime="{}" data-ago>{}</time>').format(iso, plain)


def kind_of(event: str) -> str:
    """Return the family of an event type, which gives it its colour."""
    return _KIND_OF.get(event, "digital")


def about(event: str, summary: str, words: Words) -> str:
    """Return what a timeline's line was about, in the reader's words where there are any."""
    if bought := _BOUGHT.fullmatch(summary):
        units, amount, currency = bought.groups()
        minor = int(Decimal(amount).scaleb(exponent(currency)))
        return f"{words.count('item', int(units))} · {money(minor, currency)}"
    known = f"value.{summary}"
    return words(known) if event in _WORDED and words.has(known) else summary


def initials(name: str) -> str:
    """Return one or two letters for a customer without a picture."""
    if "가" <= name[:1] <= "힣":
        return name[-2:] if len(name) <= 4 else name[:2]
    parts = name.replace("@", " ").replace(".", " ").split()
    return "".join(part[0] for part in parts[:2]).upper() or "?"
