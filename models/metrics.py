"""Every metric's name, once, so that dashboards and alerts can be written against it."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """A Prometheus metric: its name carries the unit."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    labels: tuple[str, ...] = ("reason",)  # of what is told as a mapping, outermost first


# One worker's steps, labelled `step`; the key is the field of the status page.
STEP_METRICS = {
    "events": Metric("c360_step_events_total", "counter", "Events processed by this worker."),
    "batches": Metric("c360_step_batches_total", "counter", "Batches processed by this worker."),
    "events_per_second": Metric("c360_step_events_per_second", "gauge", "Newest ten seconds."),
    "lag": Metric("c360_step_lag_events", "gauge", "Offsets behind, on this worker's partitions."),
    # NaN until the first batch.
    "progress_age_seconds": Metric(
        "c360_step_progress_age_seconds", "gauge", "Since the newest batch was completed."
    ),
}

# One worker's reading again of own events, after unmerges; the key is the field of the status page.
REFOLD_METRICS = {
    "waiting": Metric(
        "c360_refold_waiting_customers", "gauge", "Unmerged customers, incomplete until read again."
    ),
    "left": Metric(
        "c360_refold_left_events", "gauge", "Offsets until the end of the pass under way."
    ),
}

# What the resolver did not follow, labelled `reason` (`models.links.MEANS` says them).
LINK_METRICS = {
    "refused": Metric("c360_links_refused_total", "counter", "Links refused by this worker."),
}

# The models that this worker learns, as their newest reports say; `candidate` is whose predictions,
# as in ClickHouse: "served" (what was predicted then), "acted", "untouched", "past", one who runs,
# an arm.
_CANDIDATE = ("model", "candidate")
_MODEL = ("model",)
MODEL_METRICS = {
    "version": Metric("c360_model_version", "gauge", "Examples learnt, ever.", _MODEL),
    "champion": Metric("c360_model_champion", "gauge", "1: this candidate serves.", _CANDIDATE),
    "frozen": Metric("c360_model_frozen", "gauge", "1: nothing is learnt.", _MODEL),
    "drifting": Metric("c360_model_drifting", "gauge", "1: a drift alert is open.", _MODEL),
    "evidence": Metric(
        "c360_model_evidence", "gauge", "Log evidence against the champion.", _CANDIDATE
    ),
    "auc_window": Metric("c360_model_auc", "gauge", "Of the newest 1,000 examples.", _CANDIDATE),
    "log_loss_window": Metric(
        "c360_model_log_loss", "gauge", "Of the newest 1,000 examples.", _CANDIDATE
    ),
    "brier_window": Metric(
        "c360_model_brier", "gauge", "Of the newest 1,000 examples.", _CANDIDATE
    ),
    "ece_window": Metric(
        "c360_model_calibration_error", "gauge", "Of the newest 1,000 examples.", _CANDIDATE
    ),
    "lift_window": Metric(
        "c360_model_lift", "gauge", "Of the highest tenth of the newest 1,000.", _CANDIDATE
    ),
    "base_rate_window": Metric(
        "c360_model_base_rate", "gauge", "Share of the newest 1,000 that came true.", _CANDIDATE
    ),
}
