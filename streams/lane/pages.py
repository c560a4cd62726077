"""The worker's own web pages: /status as JSON, /metrics for Prometheus, /healthz.

They tell about this worker alone, and nothing of what it processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.metrics import LINK_METRICS, MODEL_METRICS, REFOLD_METRICS, STEP_METRICS, Metric
from streams.lane.app import App

# Metrics of what is told beside the steps.
OTHERS = {"refold": REFOLD_METRICS, "links": LINK_METRICS, "models": MODEL_METRICS}


def status(app: App) -> dict[str, Any]:
    """Return what this worker does: ready or not, and each step's account."""
    return {
        "instance": app.conf.consumer_group_instance_id,
        "ready": app.fence.ready,
        "tenure": app.fence.tenure,
        "generation": app.fence.generation,
        "steps": app.progress.status(app.lags()),
        **{name: tell() for name, tell in app.tells.items()},
        "tables": {
            table.name: {str(p): len(table.partition(p)) for p in sorted(table.owned())}
            for table in app.keeper.tables
        },
        "standby": {
            table.name: {str(p): at for p, at in sorted(table.copies().items())}
            for table in app.keeper.tables
        },
    }


def exposition(steps: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the steps' accounts in Prometheus' text format."""
    lines = []
    for field, metric in STEP_METRICS.items():
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
        lines += [_line(metric, name, step[field]) for name, step in steps.items()]
    return "\n".join(lines) + "\n"


def gauges(metrics: Mapping[str, Metric], told: Mapping[str, Any]) -> str:
    """Write what a part of the status page tells: a line a metric, or one for each label."""
    lines = []
    for field, metric in metrics.items():
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
        for values, number in _leaves(told[field]):
            pairs = zip(metric.labels, values, strict=False)
            said = ",".join(f'{label}="{value}"' for label, value in pairs)
            lines.append(f"{metric.name}{{{said}}} {number}" if said else f"{metric.name} {number}")
    return "\n".join(lines) + "\n"


def _leaves(told: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each number with the names that lead to it."""
    if not isinstance(told, Mapping):
        yield path, told
        return
    for name, part in told.items():
        yield from _leaves(part, (*path, str(name)))


def _line(metric: Metric, step: str, value: float | None) -> str:
    return f'{metric.name}{{step="{step}"}} {"NaN" if value is None else value}'


def serve(app: App) -> None:
    """Add the pages to the application."""

    async def status_page(page: Any, request: Any) -> Any:
        return page.json(status(app))

    async def metrics_page(page: Any, request: Any) -> Any:
        told = status(app)
        others = (gauges(OTHERS[name], told[name]) for name in app.tells)
        return page.text(exposition(told["steps"]) + "".join(others), content_type="text/plain")

    async def health_page(page: Any, request: Any) -> Any:
        return page.json({"ready": app.fence.ready}, status=200 if app.fence.ready else 503)

    app.page("/status")(status_page)
    app.page("/metrics")(metrics_page)
    app.page("/healthz")(health_page)
