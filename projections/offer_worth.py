"""What offers earned, and what other policies would have: the whole answer, as one record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct

from models.catalogue import NONE
from models.offpolicy import Policy, PolicyValue, evaluate
from models.offpolicy.evaluation import Estimate
from models.offpolicy.policies import FIXED, GREEDY, THOMPSON, UNIFORM
from models.uplift import Groups, Lift
from projections.offer_log import OfferLog

# What is asked for when nothing is; the last: no offers at all.
USUAL: Final = (UNIFORM, GREEDY, THOMPSON, f"{FIXED}{NONE}")


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


def lift(log: OfferLog, campaign: str) -> Lift:
    """Return what making offers, of one campaign or all (""), earned a customer more."""
    groups = Groups(len(log.features))
    for control, earned, features in log.customers(campaign):
        groups.add(control, earned, features)
    return groups.lift()
