"""What offers earned, and what other policies would have: the whole answer, as one record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from models.catalogue import NONE, Catalogue
from models.offpolicy import Policy, PolicyValue, evaluate
from models.offpolicy.evaluation import Estimate
from models.offpolicy.policies import FIXED, GREEDY, THOMPSON, UNIFORM, named
from models.uplift import Groups, Lift
from projections.offer_log import OfferLog, newest
from projections.past import READ_ONLY

MOST_JUDGED: Final = 50_000  # decisions that a page is made of: a second's work
MOST_ROWS: Final = 500
Json = dict[str, Any]
# What is asked for when nothing is; the last: no offers at all.
USUAL: Final = (UNIFORM, GREEDY, THOMPSON, f"{FIXED}{NONE}")
AT_A_GLANCE: Final = tuple(name for name in USUAL if name != THOMPSON)  # it costs most


class Judged(Struct, frozen=True, kw_only=True):
    """The decisions of a span, the policies judged by them, and the lift of making offers."""

    made: int
    control: int
    unusable: int
    ended: int
    judged: int  # decisions with an outcome that were drawn with a known probability
    customers: int
    first: datetime | None
    last: datetime | None
    logged: Estimate | None  # what a decision earned
    policies: list[PolicyValue]
    lift: dict[str, Lift]  # by campaign; "": all offers


def judge(log: OfferLog, policies: Mapping[str, Policy]) -> Judged:
    """Judge policies, by name, by a log."""
    counts = log.counts()
    report = evaluate(log.read, policies, log.arms)
    return Judged(
        **counts._asdict(),
        judged=report.decisions,
        customers=report.customers,
        logged=report.logged,
        policies=report.policies,
        lift={campaign: lift(log, campaign) for campaign in ("", *log.campaigns())},
    )


class Shown(Struct, frozen=True, kw_only=True):
    """What followed each offer, what offers caused, and what simple policies would have earned."""

    results: list[Json]  # rows of the view `offer_results`
    lift: list[Json]  # rows of the view `offer_lift`
    judged: int
    customers: int
    first: datetime | None
    last: datetime | None
    logged: Estimate | None
    policies: list[PolicyValue]


def shown(client: Client, now_ms: int, catalogue: Catalogue) -> Shown:
    """Return all of it, of the newest decisions where it is dear. Raises clickhouse_connect's."""
    log = OfferLog(client, newest(client, now_ms, MOST_JUDGED))
    report = evaluate(
        log.read, {name: named(name, log.arms, catalogue) for name in AT_A_GLANCE}, log.arms
    )
    counts = log.counts()
    return Shown(
        results=_rows(client, "SELECT * FROM offer_results ORDER BY made DESC LIMIT {most:UInt32}"),
        lift=_rows(client, "SELECT * FROM offer_lift LIMIT {most:UInt32}"),
        judged=report.decisions,
        customers=report.customers,
        first=counts.first,
        last=counts.last,
        logged=report.logged,
        policies=report.policies,
    )


def _rows(client: Client, sql: str) -> list[Json]:
    """Return a view's rows; a figure that nothing was counted for is None."""
    found = client.query(sql, {"most": MOST_ROWS}, settings=READ_ONLY).named_results()
    return [
        {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in row.items()
        }
        for row in found
    ]


def lift(log: OfferLog, campaign: str) -> Lift:
    """Return what making offers, of one campaign or all (""), earned a customer more."""
    groups = Groups(len(log.features))
    for control, earned, features in log.customers(campaign):
        groups.add(control, earned, features)
    return groups.lift()
