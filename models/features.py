"""What the models see of a customer at one moment: names to numbers.

Every value is a log, a share or a small count, so none can dwarf the others. What
is not known is left out: the models take a missing feature for the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, log1p, sqrt

from models.contracts import GRACE_DAYS, ends_ms, period
from models.customer import Customer
from models.online.shares import PRIOR
from models.outlook import outlook
from models.population import DEFAULT, Population
from models.profile import Profile
from models.rhythm import DAY_MS
from models.terms import Contract
from models.visits import Rhythm

MOST_SURE = 14.0  # log-odds beyond which nobody is held for gone any surer
_SCALES = (("nps", 10.0), ("csat", 5.0), ("ces", 7.0), ("review", 5.0))  # and their tops


def features(
    customer: Customer,
    at_ms: int,
    horizon_days: int = 30,
    population: Population = DEFAULT,
    held: Sequence[Contract] = (),
) -> dict[str, float]:
    """Return the features of `customer` at `at_ms` (ms, UTC), for churn within the horizon.

    `held`: the contracts that run then; with any, churn is that none is left.
    """
    found = _rhythm(customer.rhythm, at_ms, horizon_days, population)
    if held:
        _contracts(customer, held, at_ms, horizon_days, population, found)
    else:
        found["contract_ended"] = 1.0 if customer.contracts else 0.0
    profile = customer.profile
    _shopping(profile, at_ms, found)
    _service(profile, at_ms, found)
    _messages(profile, found)
    return found


def _rhythm(
    rhythm: Rhythm, at_ms: int, horizon_days: int, population: Population
) -> dict[str, float]:
    first, last, visits = rhythm.first_ms, rhythm.last_ms, rhythm.visits
    if first is None or last is None:
        return {}
    age = (at_ms - first) / DAY_MS if at_ms > first else 0.0
    quiet = (at_ms - last) / DAY_MS if at_ms > last else 0.0
    active = age - quiet if age > quiet else 0.0
    contacts, repeats = population.contacts, visits - 1 if visits else 0
    alive, silent = outlook(
        contacts.r,
        contacts.alpha,
        contacts.a,
        contacts.b,
        contacts.temper,
        repeats,
        active,
        age,
        horizon_days,
    )
    # The customer's own gap, shrunk to the population's: known of who came once, too.
    usual = contacts.gap(repeats, active)
    if usual < 0.25:
        usual = 0.25
    overdue = log1p(quiet / usual)
    found = {
        PRIOR: log(silent / (1.0 - silent)),
        "alive": alive if alive > -MOST_SURE else -MOST_SURE,
        "silence": log1p(quiet),
        "visits": log1p(visits),
        "age": log1p(age),
        "once": 1.0 if visits == 1 else 0.0,
        "gap": log1p(usual),
        "overdue": overdue if overdue < 5.0 else 5.0,
    }
    if rhythm.gaps > 1:
        mean = rhythm.gap_mean if rhythm.gap_mean > 0.25 else 0.25
        unsteady = sqrt(rhythm.gap_m2 / (rhythm.gaps - 1)) / mean
        found["unsteady"] = unsteady if unsteady < 5.0 else 5.0
    return found


def _contracts(
    customer: Customer,
    held: Sequence[Contract],
    at_ms: int,
    horizon_days: int,
    population: Population,
    found: dict[str, float],
) -> None:
    """Add what the contracts that run say of the time when none will; their prior is the prior."""
    tenure = max(0.0, max([at_ms - one.first.at_ms for one in held]) / DAY_MS)
    over = population.contracts.ends(tenure, horizon_days)
    found[PRIOR] = log(over / (1.0 - over))
    found["tenure"] = log1p(tenure)
    found["renewals"] = log1p(sum([one.renewals for one in held]))
    found["contracts"] = log1p(len(held))
    found["given_up"] = log1p(len(customer.contracts) - len(held))
    found["trial"] = 1.0 if all(one.first.trial and not one.renewals for one in held) else 0.0
    if days := max([period(one) for one in held]):
        found["period"] = log1p(days)
    ends = [ends_ms(one) for one in held]
    stated = [end for end in ends if end is not None]
    if len(stated) == len(ends):  # one whose end nobody stated outlasts the others
        left = (max(stated) - at_ms) / DAY_MS
        found["to_renewal"] = log1p(max(0.0, left))
        found["unrenewed"] = 1.0 if left < 0.0 else 0.0
        found["renewal_due"] = 1.0 if left + GRACE_DAYS < horizon_days else 0.0


def _shopping(profile: Profile, at_ms: int, found: dict[str, float]) -> None:
    orders, last = profile.orders, profile.last_order_ms
    found["orders"] = log1p(orders)
    if orders:
        found["items"] = log1p(profile.items / orders)
        found["refunds"] = _share(profile.refunds, orders)
    if last is not None:
        found["since_order"] = log1p((at_ms - last) / DAY_MS if at_ms > last else 0.0)


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
    opinion = profile.sentiment
    if opinion is not None and isinstance(opinion.value, float):
        found["sentiment"] = opinion.value


def _satisfaction(profile: Profile, found: dict[str, float]) -> None:
    for kind, top in _SCALES:
        said = profile.feedback.get(kind)
        if said is not None and isinstance(said.value, (int, float)):
            found[kind] = min(1.0, max(0.0, float(said.value) / top))


def _messages(profile: Profile, found: dict[str, float]) -> None:
    if sent := profile.messages_sent:
        found["opened"] = _share(profile.messages_opened, sent)
        found["clicked"] = _share(profile.messages_clicked, sent)
    if shown := profile.offers_shown:
        found["accepted"] = _share(profile.offers_accepted, shown)
        found["declined"] = _share(profile.offers_declined, shown)


def _share(part: int, whole: int) -> float:
    return part / whole if part < whole else 1.0
