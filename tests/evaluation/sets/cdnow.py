"""CDNOW: 69,659 dated purchases of 23,570 customers. Churn: no purchase within HORIZON days.

A third of the customers. Decision points: each day with a purchase, and each 30 days of silence
after it. Labels are released at the horizon's end, of both classes; points whose horizon ends
beyond the data are left out. Tested: the second half of the points. The features are the live
stream's own; the lifetime prior's parameters are fitted anew each 90 days on what is known then.
"""

from collections import defaultdict
from datetime import UTC, datetime

import numpy as np
from msgspec.structs import replace

from infra.evaluation.churn import add
from models.customer import Customer
from models.features import features
from models.fitting import CannotFitError, fit_lifetime
from models.online.prequential import Row
from models.overlap import weight
from models.population import DEFAULT, Population
from models.profile import Profile
from models.rhythm import DAY_MS, beat
from tests.evaluation import data
from tests.evaluation.measure import against, at_least, batches, prequential

NAME = "cdnow"
HORIZON, SILENCE, REFIT, RETRAINED = 90, 30, 90, 30  # days
BATCH = ("batch_lr", "batch_gb")


def measure() -> dict:
    """Run the candidates and the batch models over the same points."""
    rows = points(third=True)
    run = prequential(rows, encoded=True)
    result = run.report()
    add(result, batches(rows, run.tested_from, RETRAINED))
    tested = result["tested"]
    result["goals"] = [
        *against(NAME, result, BATCH),
        at_least("cdnow: AUC over the lifetime prior", tested["champion"]["auc"],
                 tested["prior"]["auc"]).told(),
    ]  # fmt: skip
    return result


def days() -> dict[str, list[tuple[int, int]]]:
    """Return each customer's days with a purchase, and the units bought, in order."""
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for customer, day, units, _ in data.cdnow():
        at = int(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp()) // 86_400
        found[customer][at] = found[customer].get(at, 0) + units
    return {customer: sorted(bought.items()) for customer, bought in found.items()}


def points(*, third: bool, customers: int | None = None, refitted: bool = True) -> list[Row]:
    """Return the decision points in time order, with features as they were then."""
    bought = days()
    end = max(day for one in bought.values() for day, _ in one)
    chosen = [name for name in sorted(bought) if not third or int(name) % 3 == 0][:customers]
    fits = Fits({name: bought[name] for name in chosen}) if refitted else None
    rows = []
    for name in chosen:
        rows += list(_points(name, bought[name], end, fits))
    rows.sort(key=lambda row: (row.at, row.key))
    return rows


def _points(name, bought, end, fits):
    customer, covered = Customer(customer_id=name, profile=Profile()), 0
    for place, (day, units) in enumerate(bought):
        following = bought[place + 1][0] if place + 1 < len(bought) else None
        customer = replace(
            customer,
            rhythm=beat(customer.rhythm, day * DAY_MS),
            profile=replace(
                customer.profile,
                orders=customer.profile.orders + 1,
                items=customer.profile.items + units,
                first_order_ms=bought[0][0] * DAY_MS,
                last_order_ms=day * DAY_MS,
            ),
        )
        at = day
        while at + HORIZON <= end and (following is None or at < following):
            population = fits.at(at) if fits else DEFAULT
            stayed_away = following is None or following > at + HORIZON
            yield Row(
                at, name, features(customer, at * DAY_MS, HORIZON, population),
                at + HORIZON, float(stayed_away), weight(at, at + HORIZON, covered),
            )  # fmt: skip
            covered = at + HORIZON
            at += SILENCE


class Fits:
    """The population's parameters as the scheduled job would have had them on each day."""

    def __init__(self, bought: dict[str, list[tuple[int, int]]]) -> None:
        self.first = min(one[0][0] for one in bought.values())
        self._bought = bought
        self._known: dict[int, Population] = {}

    def at(self, day: int) -> Population:
        """Return the newest fit of a day."""
        step = (day - self.first) // REFIT
        if step not in self._known:
            self._known[step] = self._fit(self.first + step * REFIT) if step else DEFAULT
        return self._known[step]

    def _fit(self, now: int) -> Population:
        seen = [[day for day, _ in one if day < now] for one in self._bought.values()]
        seen = [one for one in seen if one]
        try:
            lifetime = fit_lifetime(
                np.array([len(one) - 1.0 for one in seen]),
                np.array([float(one[-1] - one[0]) for one in seen]),
                np.array([float(now - one[0]) for one in seen]),
            )
        except CannotFitError:
            return DEFAULT
        return replace(DEFAULT, contacts=lifetime)
