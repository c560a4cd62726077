"""A customer's rhythm: how often contacts come, and how long it has been quiet.

Contacts closer than SESSION_MS are one visit. Only what the customer does counts:
a message that we sent says nothing about whether anybody is still there.
"""

from __future__ import annotations

from typing import Final

from models.visits import Rhythm

DAY_MS: Final = 86_400_000
SESSION_MS: Final = 21_600_000  # six hours

# Event types by which the customer, not we, made contact. An opened message is
# not one: mail programs open messages by themselves.
CONTACTS: Final = frozenset(
    {
        "call_received",
        "visit_made",
        "order_placed",
        "order_returned",
        "app_used",
        "page_viewed",
        "screen_viewed",
        "search_performed",
        "content_viewed",
        "message_clicked",
        "ticket_opened",
        "feedback_given",
        "offer_accepted",
        "offer_declined",
        "customer_identified",
        "consent_changed",
        "points_redeemed",
        "coupon_redeemed",
        "lead_created",
        "subscription_started",
        "subscription_renewed",
        "custom",
    }
)


def beat(rhythm: Rhythm, at_ms: int) -> Rhythm:
    """Return the rhythm after a contact at `at_ms`; a late one moves no gap."""
    first, last = rhythm.first_ms, rhythm.last_ms
    if first is None or last is None:
        return Rhythm(visits=1, first_ms=at_ms, last_ms=at_ms)
    quiet = at_ms - last
    visits, gaps, mean, m2 = rhythm.visits, rhythm.gaps, rhythm.gap_mean, rhythm.gap_m2
    if quiet >= SESSION_MS:
        visits += 1
        gaps, mean, m2 = _one_more(gaps, mean, m2, quiet / DAY_MS)
    elif at_ms <= first - SESSION_MS:
        visits += 1
    if at_ms < first:
        first = at_ms
    elif at_ms > last:
        last = at_ms
    return Rhythm(visits, first, last, gaps, mean, m2)


def join(a: Rhythm, b: Rhythm) -> Rhythm:
    """Return the rhythm of two identities found to be one customer.

    Where one ends before the other begins, it is what all their contacts in order give;
    where they overlap, the gaps that each had are pooled.
    """
    if a.first_ms is None or a.last_ms is None:
        return b
    if b.first_ms is None or b.last_ms is None:
        return a
    if (b.first_ms, b.last_ms) < (a.first_ms, a.last_ms):
        return join(b, a)
    visits, gaps = a.visits + b.visits, a.gaps + b.gaps
    apart = b.gap_mean - a.gap_mean
    mean = a.gap_mean + apart * b.gaps / gaps if gaps else 0.0
    m2 = a.gap_m2 + b.gap_m2 + (apart * apart * a.gaps * b.gaps / gaps if gaps else 0.0)
    between = b.first_ms - a.last_ms
    if between >= SESSION_MS:
        gaps, mean, m2 = _one_more(gaps, mean, m2, between / DAY_MS)
    elif between >= 0:
        visits -= 1  # the last of the one is the first of the other
    return Rhythm(visits, a.first_ms, max(a.last_ms, b.last_ms), gaps, mean, m2)


def _one_more(gaps: int, mean: float, m2: float, days: float) -> tuple[int, float, float]:
    """Return Welford's count, mean and sum of squares after one gap more."""
    step = days - mean
    mean += step / (gaps + 1)
    return gaps + 1, mean, m2 + step * (days - mean)


def silence_days(rhythm: Rhythm, at_ms: int) -> float:
    """Return the days since the last contact, 0 when there was none."""
    last = rhythm.last_ms
    return 0.0 if last is None or at_ms <= last else (at_ms - last) / DAY_MS
