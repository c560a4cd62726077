"""A population from a sample: every part that the sample tells, the others as they come with us."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from infra.fit.sample import One, days
from infra.fit.standing import NOTHING, Standing
from models.contracts import ends_ms, over_ms
from models.fitting import CannotFitError, fifths, fit_lifetime, fit_spend, fit_tenure
from models.lifetime import Lifetime, Tenure
from models.population import Cuts, Population, Spend
from models.rhythm import DAY_MS
from models.tempering import tempered

T = TypeVar("T")


class Fitted(NamedTuple):
    """What was fitted; what could not be, and what was held, each with why."""

    population: Population
    lacks: dict[str, str]
    held: dict[str, str]


def fit(customers: Collection[One], now_ms: int, standing: Standing = NOTHING) -> Fitted:
    """Return the population as of `now_ms`. Raises CannotFitError when contacts do not tell.

    Without contacts there is nothing to start a score from; a part that lacks purchases or
    contracts stays as it stands, and is named; so does what models have learnt with.
    """
    lacks: dict[str, str] = {}
    before, held = standing.population, standing.held()
    contacts = before.contacts if "contacts" in held else _contacts(customers, now_ms)

    def told(part: str, fitted: Callable[[], T], default: T) -> T:
        try:
            return fitted()
        except CannotFitError as error:
            lacks[part] = str(error)
            return default

    spend = {}
    for code, (orders, means) in sorted(_spent(customers).items()):
        one = told(f"spend in {code}", partial(_spend, orders, means), before.spend.get(code))
        if one is not None:
            spend[code] = one
    contracts = before.contracts
    if "contracts" not in held:
        contracts = told("contracts", lambda: _contracts(customers, now_ms), contracts)
    population = Population(
        contacts=contacts,
        purchases=told("purchases", lambda: _purchases(customers, now_ms), before.purchases),
        contracts=contracts,
        spend=spend,
        cuts=_cuts(customers, now_ms),
        fitted_ms=now_ms,
        customers=len(customers),
    )
    return Fitted(population, lacks, held)


def _contacts(customers: Iterable[One], now_ms: int) -> Lifetime:
    rows = []
    for one in customers:
        rhythm = one.rhythm
        first, last = rhythm.first_ms or 0, rhythm.last_ms or 0
        age = days(first, one.seen_until(now_ms))
        rows.append((float(rhythm.visits - 1), days(first, last), age))
    return fit_lifetime(*_columns(rows))


def _purchases(customers: Iterable[One], now_ms: int) -> Lifetime:
    rows, known = [], []
    for one in customers:
        if bought := one.profile.order_days:
            last = bought[-1] - bought[0]
            age = max(last, one.seen_until(now_ms) // DAY_MS - bought[0])
            rows.append((float(len(bought) - 1), float(last), float(age)))
            known.append((bought, bought[0] + age))
    return tempered(fit_lifetime(*_columns(rows)), known)


def _contracts(customers: Iterable[One], now_ms: int) -> Tenure:
    lasted, ended = [], []
    for one in customers:
        until = one.seen_until(now_ms)
        for contract in one.contracts.values():
            over = over_ms(contract)
            is_over = over is not None and over <= until
            # An end that was not renewed is one when it was stated, not when the grace was over.
            end = until if over is None or not is_over else ends_ms(contract) or over
            lasted.append(days(contract.first.at_ms, end))
            ended.append(is_over)
    return fit_tenure(_floats(lasted), np.array(ended, dtype=np.bool_))


def _spend(orders: list[float], means: list[float]) -> Spend | None:
    return fit_spend(_floats(orders), _floats(means))


def _spent(customers: Iterable[One]) -> dict[str, tuple[list[float], list[float]]]:
    """Return orders, and what one was worth net of refunds, of each customer by currency."""
    found: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for one in customers:
        bought = one.profile
        for code, orders in bought.orders_by_currency.items():
            kept = bought.revenue.get(code, 0) - bought.refunded.get(code, 0)
            found[code][0].append(float(orders))
            found[code][1].append(kept / orders)
    return found


def _cuts(customers: Iterable[One], now_ms: int) -> Cuts:
    recency, frequency, money = [], [], defaultdict(list)
    for one in customers:
        bought = one.profile
        if not bought.order_days:
            continue
        recency.append(max(0, one.seen_until(now_ms) // DAY_MS - bought.order_days[-1]))
        frequency.append(bought.orders)
        for code, paid in bought.revenue.items():
            money[code].append(paid - bought.refunded.get(code, 0))
    return Cuts(
        recency=fifths(recency),
        frequency=fifths(frequency),
        money={code: cuts for code, paid in sorted(money.items()) if (cuts := fifths(paid))},
    )


def _columns(rows: list[tuple[float, float, float]]) -> tuple[NDArray[np.float64], ...]:
    return tuple(np.array(rows, dtype=np.float64).reshape(-1, 3).T)


def _floats(values: list[float]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)
