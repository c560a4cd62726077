"""The newest decision about a customer: what was drawn, and with which chances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

_NEWEST = """
SELECT toUnixTimestamp64Milli(at), arm, propensities, policy, model_version, holdout
FROM decisions WHERE customer_id IN {ids:Array(String)}
ORDER BY at DESC, decision_id, log_offset DESC LIMIT 1
"""


class Newest(NamedTuple):
    """A decision; `chances` by the arms that were eligible, none among them."""

    at_ms: int
    arm: str
    chances: dict[str, float]
    policy: str
    model_version: int
    holdout: bool


def newest_decision(client: Client, ids: Sequence[str]) -> Newest | None:
    """Return the newest decision about a customer who goes, or went, by `ids`; None: there is none.

    Decisions stay under the id that they were made for, merged or not.
    """
    rows = client.query(_NEWEST, parameters={"ids": list(ids)}).result_rows
    if not rows:
        return None
    at_ms, arm, chances, policy, version, holdout = rows[0]
    return Newest(at_ms, arm, dict(chances), policy, version, bool(holdout))
