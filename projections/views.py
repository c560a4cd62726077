"""The views that analysts read. None of them shows who somebody is."""

from __future__ import annotations

from typing import Final

ANALYST_VIEWS: Final = (
    "events",
    "customers",
    "order_items",
    "revenue_by_day",
    "retention_by_cohort",
    "contracts",
    "renewal_by_cohort",
    "rfm",
    "population",
    "customer_value",
    "rfm_segments",
    "value_migration",
    "funnel",
    "churn_board",
    "offer_results",
    "offer_lift",
    "score_history",
    "decision_history",
    "outcome_history",
    "alert_history",
    "model_quality",
    "model_history",
    "identity_overrides",
    "identity_history",
    "identity_refusals",
)
