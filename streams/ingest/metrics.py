"""What ingest counts, in Prometheus' text format. Labels are closed sets: no ids, no keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

EVENTS: Final = "c360_ingest_events_total"  # events in the log, by verdict and reason
REQUESTS: Final = "c360_ingest_requests_total"  # requests answered, by status
BYTES: Final = "c360_ingest_bytes_total"  # bytes of events in the log
APPEND: Final = "c360_ingest_append_seconds"  # from an event's reading to Kafka's acknowledgement
HELD: Final = "c360_ingest_held_bytes"  # bytes of requests in memory now
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Counters of one process."""

    def __init__(self) -> None:
        self.events: Counter[tuple[str, str]] = Counter()
        self.requests: Counter[int] = Counter()
        self.bytes = 0
        self._appends: Counter[float] = Counter()
        self._append_seconds = 0.0

    def appended(self, seconds: float) -> None:
        """Count one request's wait for the log."""
        self._append_seconds += seconds
        bucket = next((limit for limit in _BUCKETS if seconds <= limit), float("inf"))
        self._appends[bucket] += 1

    def text(self, held: int) -> str:
        """Return all of it, one sample a line."""
        return "\n".join(self._lines(held)) + "\n"

    def _lines(self, held: int) -> Iterator[str]:
        yield f"# TYPE {EVENTS} counter"
        for (status, reason), count in sorted(self.events.items()):
            yield f'{EVENTS}{{verdict="{status}",reason="{reason}"}} {count}'
        yield f"# TYPE {REQUESTS} counter"
        for code, count in sorted(self.requests.items()):
            yield f'{REQUESTS}{{status="{code}"}} {count}'
        yield f"# TYPE {BYTES} counter"
        yield f"{BYTES} {self.bytes}"
        yield f"# TYPE {HELD} gauge"
        yield f"{HELD} {held}"
        yield f"# TYPE {APPEND} histogram"
        total = 0
        for limit in (*_BUCKETS, float("inf")):
            total += self._appends[limit]
            name = "+Inf" if limit == float("inf") else f"{limit:g}"
            yield f'{APPEND}_bucket{{le="{name}"}} {total}'
        yield f"{APPEND}_sum {self._append_seconds:.6f}"
        yield f"{APPEND}_count {total}"
