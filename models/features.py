"""What the models see of a customer at one moment: numbers by place, names to numbers outside.

Every value is a log, a share or a small count, so none can dwarf the others. What
is not known is left out: the models take a missing feature for the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, log, log1p, sqrt
from typing import Final

from librt.vecs import vec

from models import places
from models.contracts import GRACE_DAYS, ends_ms, period
from models.customer import Customer
from models.online.vectors import unknown
from models.outlook import gap, outlook
from models.population import DEFAULT, Population
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
    overdue = log1p(quiet / usual)
    found[places.PRIOR_LOGIT] = log(silent / (1.0 - silent))
    found[places.ALIVE] = alive if alive > -MOST_SURE else -MOST_SURE
    found[places.SILENCE] = log1p(quiet)
    found[places.VISITS] = log1p(visits)
    found[places.AGE] = log1p(age)
    found[places.ONCE] = 1.0 if visits == 1 else 0.0
    found[places.GAP] = log1p(usual)
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
    tenure = max(0.0, max([at_ms - one.first.at_ms for one in held]) / DAY_MS)
    over = population.contracts.ends(tenure, horizon_days)
    found[places.PRIOR_LOGIT] = log(over / (1.0 - over))
    found[places.TENURE] = log1p(tenure)
    found[places.RENEWALS] = log1p(sum([one.renewals for one in held]))
    found[places.CONTRACTS] = log1p(len(held))
    found[places.GIVEN_UP] = log1p(len(customer.contracts) - len(held))
    found[places.TRIAL] = 1.0 if all(one.first.trial and not one.renewals for one in held) else 0.0
    days = max([period(one) for one in held])
    if days:
        found[places.PERIOD] = log1p(days)
    ends = [ends_ms(one) for one in held]
    stated = [end for end in ends if end is not None]
    if len(stated) == len(ends):  # one whose end nobody stated outlasts the others
        left = (max(stated) - at_ms) / DAY_MS
        found[places.TO_RENEWAL] = log1p(max(0.0, left))
        found[places.UNRENEWED] = 1.0 if left < 0.0 else 0.0
        due = left + GRACE_DAYS < horizon_days
        found[places.RENEWAL_DUE] = 1.0 if due else 0.0
        # A year is let go far oftener than a month, but at its end: no sum of both tells that.
        found[places.TERM_DUE] = log1p(days) if due else 0.0


def _shopping(profile: Profile, at_ms: int, found: vec[float]) -> None:
    orders, last = profile.orders, profile.last_order_ms
    found[places.ORDERS] = log1p(orders)
    if orders:
        found[places.ITEMS] = log1p(profile.items / orders)
        found[places.REFUNDS] = _share(profile.refunds, orders)
    if last is not None:
        found[places.SINCE_ORDER] = log1p((at_ms - last) / DAY_MS if at_ms > last else 0.0)


def _service(profile: Profile, at_ms: int, found: vec[float]) -> None:
    tickets = profile.tickets_opened
    found[places.TICKETS] = log1p(len(tickets))
    found[places.OPEN_TICKETS] = 0.0
    if tickets:
        open_now = len(tickets.keys() - profile.tickets_closed.keys())
        found[places.OPEN_TICKETS] = float(min(5, open_now))
        found[places.SINCE_TICKET] = log1p(max(0.0, (at_ms - max(tickets.values())) / DAY_MS))
    if profile.wait_seconds:
        found[places.WAIT] = log1p(profile.wait_seconds / 60.0)
    if profile.feedback:
        _satisfaction(profile, found)
    opinion = profile.sentiment
    if opinion is not None and isinstance(opinion.value, float):
        found[places.SENTIMENT] = opinion.value


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


def _share(part: int, whole: int) -> float:
    return part / whole if part < whole else 1.0
