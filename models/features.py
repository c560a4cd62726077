"""What the models see of a customer at one moment: names to numbers.

Every value is a log, a share or a small count, so none can dwarf the others. What
is not known is left out: the models take a missing feature for the mean.
"""

from __future__ import annotations

from math import log, log1p, sqrt

from models.customer import Customer
from models.lifetime import DEFAULT
from models.online.churn import PRIOR
from models.profile import Profile
from models.rhythm import DAY_MS, silence_days

_SCALES = (("nps", 10.0), ("csat", 5.0), ("ces", 7.0), ("review", 5.0))  # and their tops


def features(customer: Customer, at_ms: int, horizon_days: int = 30) -> dict[str, float]:
    """Return the features of `customer` at `at_ms` (ms, UTC), for churn within the horizon."""
    found = _rhythm(customer, at_ms, horizon_days)
    profile = customer.profile
    _shopping(profile, at_ms, found)
    _service(profile, at_ms, found)
    _messages(profile, found)
    return found


def _rhythm(customer: Customer, at_ms: int, horizon_days: int) -> dict[str, float]:
    rhythm = customer.rhythm
    if rhythm.first_ms is None or rhythm.last_ms is None:
        return {}
    age = max(0.0, (at_ms - rhythm.first_ms) / DAY_MS)
    quiet = silence_days(rhythm, at_ms)
    repeats = max(0, rhythm.visits - 1)
    silent = DEFAULT.silent(repeats, max(0.0, age - quiet), age, horizon_days)
    found = {
        PRIOR: log(silent / (1.0 - silent)),
        "silence": log1p(quiet),
        "visits": log1p(rhythm.visits),
        "age": log1p(age),
        "once": 1.0 if rhythm.visits == 1 else 0.0,
    }
    if rhythm.gaps:
        usual = max(rhythm.gap_mean, 0.25)
        found["gap"] = log1p(usual)
        found["overdue"] = min(5.0, log1p(quiet / usual))
        if rhythm.gaps > 1:
            spread = sqrt(rhythm.gap_m2 / (rhythm.gaps - 1))
            found["unsteady"] = min(5.0, spread / usual)
    return found


def _shopping(profile: Profile, at_ms: int, found: dict[str, float]) -> None:
    found["orders"] = log1p(profile.orders)
    if profile.orders:
        found["items"] = log1p(profile.items / profile.orders)
        found["refunds"] = min(1.0, profile.refunds / profile.orders)
    if profile.last_order_ms is not None:
        found["since_order"] = log1p(max(0.0, (at_ms - profile.last_order_ms) / DAY_MS))
    if profile.subscription is not None:
        found["subscribed"] = 1.0 if profile.subscription.value == "active" else -1.0


def _service(profile: Profile, at_ms: int, found: dict[str, float]) -> None:
    tickets = profile.tickets_opened
    found["tickets"] = log1p(len(tickets))
    found["open_tickets"] = 0.0
    if tickets:
        open_now = len(tickets.keys() - profile.tickets_closed.keys())
        found["open_tickets"] = float(min(5, open_now))
        found["since_ticket"] = log1p(max(0.0, (at_ms - max(tickets.values())) / DAY_MS))
    if profile.wait_seconds:
        found["wait"] = log1p(profile.wait_seconds / 60.0)
    if profile.feedback:
        _satisfaction(profile, found)


def _satisfaction(profile: Profile, found: dict[str, float]) -> None:
    for kind, top in _SCALES:
        said = profile.feedback.get(kind)
        if said is not None and isinstance(said.value, (int, float)):
            found[kind] = min(1.0, max(0.0, float(said.value) / top))


def _messages(profile: Profile, found: dict[str, float]) -> None:
    if profile.messages_sent:
        found["opened"] = min(1.0, profile.messages_opened / profile.messages_sent)
        found["clicked"] = min(1.0, profile.messages_clicked / profile.messages_sent)
    if profile.offers_shown:
        found["accepted"] = min(1.0, profile.offers_accepted / profile.offers_shown)
        found["declined"] = min(1.0, profile.offers_declined / profile.offers_shown)
