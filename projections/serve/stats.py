"""The board's figures, as `/v1/stats`, the metrics and the console show them."""

from __future__ import annotations

from projections.serve.sources import Sources
from projections.serve.written import Json, instant


def stats(sources: Sources) -> Json:
    """Return the figures of this moment."""
    live = sources.live
    now = live.now_ms()
    fresh = live.meter.freshness(now)
    return {
        "ready": live.ready,
        "customers": live.board.customers,
        "merged": live.board.merged,
        "incomplete": live.board.incomplete,
        "events": live.board.events,
        "scored": live.board.scored,
        "events_per_second": round(live.meter.rate(now), 1),
        "events_each_second": live.meter.series(now, 60),
        "freshness": fresh and {"p50_ms": fresh[0], "p99_ms": fresh[1]},
        "risk_bands": {band: live.board.bands[band] for band in ("low", "medium", "high")},
        "risk_histogram": list(live.board.histogram),
        "open_alerts": live.board.open_alerts,
        "dead_letters": sources.refused,
        "lag": [
            *({"step": one.step, "lag": one.lag} for one in sources.lag.steps),
            {"step": "live", "lag": sources.profiles.lag},
        ],
        "unreadable_records": live.unreadable,
        "kafka_answered_at": instant(sources.profiles.polled_ms or None),
    }
