"""Times as the terminal tells them."""

from __future__ import annotations

from datetime import datetime


def ago(iso: str | None, now: datetime) -> str:
    """Return how long before `now` (or after it) a time is, in its largest unit."""
    if iso is None:
        return "–"
    seconds = (now - datetime.fromisoformat(iso)).total_seconds()
    past = seconds >= 0
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if abs(seconds) >= size:
            count = f"{int(abs(seconds) // size)} {unit}"
            return f"{count} ago" if past else f"in {count}"
    return "now"
