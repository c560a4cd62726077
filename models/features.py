"""What the models see of a customer at one moment: numbers by place, names to numbers outside.

Every value is a log, a share or a small count, so none can dwarf the others. What
is not known is left out: the models take a missing feature for the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, log, sqrt
from typing import Final

from librt.vecs import vec

from models import places
from models.contracts import GRACE_DAYS, ends_ms, period
from models.customer import Customer
from models.online.vectors import unknown
from models.outlook import gap, outlook
from models.population import DEFAULT, Population
from models.prices import risen
from models.profile import Profile
from models.rhythm import DAY_MS
from models.rounding import all_to_six
from models.terms import Contract
from models.visits import Rhythm

MOST_SURE: Final = 14.0  # log-odds beyond which nobody is held for gone any surer
# And their tops.
_SCALES = (
    ("nps", places.NPS, 10.0),
    ("csat", places.CSAT, 5.0),
    ("ces", places.CES, 7.0),
    ("review", places.REVIEW, 5.0),
)


def features(
    customer: Customer,
    at_ms: int,
    horizon_days: int = 30,
    population: Population = DEFAULT,
    held: Sequence[Contract] = (),
) -> dict[str, float]:
    """Return by name what `measured` does."""
    return named(measured(customer, at_ms, horizon_days, population, held))


def named(values: vec[float]) -> dict[str, float]:
    """Return features by place as names to numbers, without those that are not known."""
    found: dict[str, float] = {}
    for place, name in enumerate(places.NAMES):
        value = values[place]
        if not isnan(value):
            found[name] = value
    return found


def measured(
    customer: Customer,
    at_ms: int,
    horizon_days: int,
    population: Population,
    held: Sequence[Contract],
) -> vec[float]:
    """Return the features of `customer` at `at_ms` (ms, UTC), for churn within the horizon.

    By `places`, to six decimals, NaN where nothing is known. `held`: the contracts that run
    then; with any, churn is that none is left.
    """
    found = unknown(places.MANY)
    _rhythm(customer.rhythm, at_ms, horizon_days, population, found)
    if held:
        _contracts(customer, held, at_ms, horizon_days, population, found)
    else:
        found[places.CONTRACT_ENDED] = 1.0 if customer.contracts else 0.0
    profile = customer.profile
    _shopping(profile, at_ms, found)
    _service(profile, at_ms, found)
    _messages(profile, found)
    all_to_six(found)
    return found


def _rhythm(
    rhythm: Rhythm, at_ms: int, horizon_days: int, population: Population, found: vec[float]
) -> None:
    first, last, visits = rhythm.first_ms, rhythm.last_ms, rhythm.visits
    if first is None or last is None:
        return
    age = (at_ms - first) / DAY_MS if at_ms > first else 0.0
    quiet = (at_ms - last) / DAY_MS if at_ms > last else 0.0
    active = age - quiet if age > quiet else 0.0
    contacts, repeats = population.contacts, visits - 1 if visits else 0
    r, alpha = contacts.r, contacts.alpha
    alive, silent = outlook(
        r,
        alpha,
        contacts.a,
        contacts.b,
        contacts.temper,
        repeats,
        active,
        age,
        horizon_days,
    )
    # The customer's own gap, shrunk to the population's: known of who came once, too.
    usual = gap(r, alpha, repeats, active)
    if usual < 0.25:
        usual = 0.25
    overdue = _log1p(quiet / usual)
    found[places.PRIOR_LOGIT] = log(silent / (1.0 - silent))
    found[places.ALIVE] = alive if alive > -MOST_SURE else -MOST_SURE
    found[places.SILENCE] = _log1p(quiet)
    found[places.VISITS] = _log1p(visits)
    found[places.AGE] = _log1p(age)
    found[places.ONCE] = 1.0 if visits == 1 else 0.0
    found[places.GAP] = _log1p(usual)
    found[places.OVERDUE] = overdue if overdue < 5.0 else 5.0
    if rhythm.gaps > 1:
        mean = rhythm.gap_mean if rhythm.gap_mean > 0.25 else 0.25
        unsteady = sqrt(rhythm.gap_m2 / (rhythm.gaps - 1)) / mean
        found[places.UNSTEADY] = unsteady if unsteady < 5.0 else 5.0


def _contracts(
    customer: Customer,
    held: Sequence[Contract],
    at_ms: int,
    horizon_days: int,
    population: Population,
    found: vec[float],
) -> None:
    """Add what the contracts that run say of the time when none will; their prior is the prior."""
    began, renewals, days, ends, trial, stated = at_ms, 0, 0, 0, True, True
    for one in held:
        first, end = one.first, ends_ms(one)
        began = min(began, first.at_ms)
        renewals += one.renewals
        days = max(days, period(one))
        trial = trial and first.trial and not one.renewals
        if end is None:  # it outlasts those whose ends are stated
            stated = False
        else:
            ends = max(ends, end)
    tenure = (at_ms - began) / DAY_MS
    over = population.contracts.ends(tenure, horizon_days)
    found[places.PRIOR_LOGIT] = log(over / (1.0 - over))
    found[places.TENURE] = _log1p(tenure)
    found[places.RENEWALS] = _log1p(renewals)
    found[places.CONTRACTS] = _log1p(len(held))
    found[places.GIVEN_UP] = _log1p(len(customer.contracts) - len(held))
    found[places.TRIAL] = 1.0 if trial else 0.0
    if days:
        found[places.PERIOD] = _log1p(days)
    if stated:
        _term(ends, days, at_ms, horizon_days, found)
    if rises := [risen(one.prices, at_ms) for one in held if one.prices]:
        found[places.PRICE_RISE] = max(rises, key=abs)


def _term(ends: int, days: int, at_ms: int, horizon_days: int, found: vec[float]) -> None:
    """Add what the end of a term of so many days says, 0 if nobody said of how many."""
    left = (ends - at_ms) / DAY_MS
    due = left + GRACE_DAYS < horizon_days
    found[places.TO_RENEWAL] = _log1p(max(0.0, left))
    found[places.UNRENEWED] = 1.0 if left < 0.0 else 0.0
    found[places.RENEWAL_DUE] = 1.0 if due else 0.0
    # A year is let go far oftener than a month, but at its end: no sum of both tells that.
    found[places.TERM_DUE] = _log1p(days) if due else 0.0


def _shopping(profile: Profile, at_ms: int, found: vec[float]) -> None:
    orders, last = profile.orders, profile.last_order_ms
    found[places.ORDERS] = _log1p(orders)
    if orders:
        found[places.ITEMS] = _log1p(profile.items / orders)
        found[places.REFUNDS] = _share(profile.refunds, orders)
    if last is not None:
        found[places.SINCE_ORDER] = _log1p((at_ms - last) / DAY_MS if at_ms > last else 0.0)


def _service(profile: Profile, at_ms: int, found: vec[float]) -> None:
    tickets = profile.tickets_opened
    found[places.TICKETS] = _log1p(len(tickets))
    found[places.OPEN_TICKETS] = 0.0
    if tickets:
        found[places.OPEN_TICKETS] = _open(tickets, profile.tickets_closed)
        found[places.SINCE_TICKET] = _log1p(max(0.0, (at_ms - _newest(tickets)) / DAY_MS))
    if profile.wait_seconds:
        found[places.WAIT] = _log1p(profile.wait_seconds / 60.0)
    if profile.feedback:
        _satisfaction(profile, found)
    opinion = profile.sentiment
    if opinion is not None and isinstance(opinion.value, float):
        found[places.SENTIMENT] = opinion.value


def _newest(times: dict[str, int]) -> int:
    """Return the newest of some times (ms), 0 of none."""
    newest = 0
    for at in times.values():
        if at > newest:
            newest = at
    return newest


def _open(opened: dict[str, int], closed: dict[str, int]) -> float:
    """Return how many tickets are open, 5 at most."""
    count = 0
    for ticket in opened:
        if ticket not in closed:
            count += 1
    return float(min(5, count))


def _satisfaction(profile: Profile, found: vec[float]) -> None:
    for kind, place, top in _SCALES:
        said = profile.feedback.get(kind)
        if said is not None and isinstance(said.value, (int, float)):
            found[place] = min(1.0, max(0.0, float(said.value) / top))


def _messages(profile: Profile, found: vec[float]) -> None:
    if sent := profile.messages_sent:
        found[places.OPENED] = _share(profile.messages_opened, sent)
        found[places.CLICKED] = _share(profile.messages_clicked, sent)
    if shown := profile.offers_shown:
        found[places.ACCEPTED] = _share(profile.offers_accepted, shown)
        found[places.DECLINED] = _share(profile.offers_declined, shown)


def _log1p(count: float) -> float:
    """Return log(1 + count). Compiled it is the machine's `log`; `log1p` would be Python's.

    To the six decimals that are kept the two are the same.
    """
    return log(1.0 + count)


def _share(part: int, whole: int) -> float:
    return part / whole if part < whole else 1.0
