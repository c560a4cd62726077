"""Every metric's name, once, so that dashboards and alerts can be written against it."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """A Prometheus metric: its name carries the unit."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str


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
