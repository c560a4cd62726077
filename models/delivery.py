"""Delivering one alert: what is kept about it, and what follows from each attempt.

An alert is taken once by its id and is done once: delivered, failed or expired.
The id stays known after that, so a replay delivers nothing again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from models.records import Alert, Delivery
from models.wording import in_words

MAX_ATTEMPTS = 12
GROWTH = 3.0  # 5 s, 15 s, 45 s, … with the default base
LONGEST_SECONDS = 4 * 3600.0  # between two attempts
JITTER = 0.2
MAX_IDENTIFIERS = 20
DESTINATION = "webhook"

Status = Literal["pending", "delivered", "failed", "expired"]


class Entry(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One alert on its way, or what is remembered of one that is done. Times in ms."""

    status: Status
    due_ms: int = 0  # pending: when to try next; done: when it was done
    attempts: int = 0
    alert: Alert | None = None  # while pending


class Attempt(NamedTuple):
    """What came of one attempt: an HTTP status, or an error without one."""

    http_status: int | None = None
    error: str | None = None
    retry_after: float | None = None  # seconds that the receiver asked for
    permanent: bool = False  # no retry can help, for instance a refused address


def accept(alert: Alert, now_ms: int, max_age_ms: float) -> tuple[Entry, Delivery | None]:
    """Take a new alert: pending, or at once expired when it is old news."""
    if now_ms - min(alert.at_ms, alert.received_ms) > max_age_ms:
        return _expired(alert, 0, now_ms)
    return Entry(status="pending", due_ms=now_ms, alert=alert), None


def attempted(
    entry: Entry, alert: Alert, attempt: Attempt, now_ms: int, base_seconds: float
) -> tuple[Entry, Delivery]:
    """Return the entry after an attempt, and the record of the attempt."""
    tries = entry.attempts + 1
    status = _status(attempt)
    if status == "retrying" and tries >= MAX_ATTEMPTS:
        status = "failed"
    made = _delivery(alert, status, tries, now_ms, attempt)
    if status != "retrying":
        return Entry(status=status, due_ms=now_ms, attempts=tries), made
    wait = max(backoff(alert.alert_id, tries, base_seconds), attempt.retry_after or 0.0)
    due = now_ms + int(min(wait, LONGEST_SECONDS) * 1000)
    return replace(entry, due_ms=due, attempts=tries), made


def outdated(
    entry: Entry, alert: Alert, now_ms: int, max_age_ms: float
) -> tuple[Entry, Delivery] | None:
    """Return the end of a pending alert that has become old news, else None."""
    if now_ms - min(alert.at_ms, alert.received_ms) <= max_age_ms:
        return None
    return _expired(alert, entry.attempts, now_ms)


def backoff(alert_id: str, tries: int, base_seconds: float) -> float:
    """Return the seconds to wait after `tries` attempts: growing, spread by the id's hash."""
    wait = min(base_seconds * GROWTH ** (tries - 1), LONGEST_SECONDS)
    digest = blake2b(f"{alert_id}:{tries}".encode(), digest_size=4).digest()
    spread = int.from_bytes(digest, "big") / 2**32
    return wait * (1.0 - JITTER + 2.0 * JITTER * spread)


def payload(alert: Alert) -> bytes:
    """Write the webhook's body: Standard Webhooks' type, timestamp and data."""
    data: dict[str, Any] = asdict(alert)
    data["identifiers"] = alert.identifiers[:MAX_IDENTIFIERS]
    data["reasons"] = [asdict(one) | {"text": in_words(one)} for one in alert.reasons]
    at = datetime.fromtimestamp(alert.at_ms / 1000, tz=UTC)
    return msgspec.json.encode(
        {"type": f"{alert.rule}.{alert.status}", "timestamp": at.isoformat(), "data": data}
    )


def share(at_once: int, owned: int, partitions: int) -> int:
    """Return how many of all workers' attempts at once are those of one with so many partitions.

    At least one, for whoever has alerts must get on: more workers than attempts exceed them.
    """
    return max(1, at_once * owned // partitions)


def _status(attempt: Attempt) -> Literal["delivered", "retrying", "failed"]:
    code = attempt.http_status
    if code is None:
        return "failed" if attempt.permanent else "retrying"
    if 200 <= code < 300:
        return "delivered"
    # Wrong now may be right later only for these; a redirect is never followed.
    return "retrying" if code >= 500 or code in (408, 429) else "failed"


def _expired(alert: Alert, tries: int, now_ms: int) -> tuple[Entry, Delivery]:
    made = _delivery(alert, "expired", tries, now_ms, Attempt(error="older than is of use"))
    return Entry(status="expired", due_ms=now_ms, attempts=tries), made


def _delivery(
    alert: Alert,
    status: Literal["delivered", "retrying", "failed", "expired"],
    tries: int,
    now_ms: int,
    attempt: Attempt,
) -> Delivery:
    return Delivery(
        delivery_id=f"{alert.alert_id}:{DESTINATION}:{tries}"
        + (":expired" if status == "expired" else ""),
        alert_id=alert.alert_id,
        customer_id=alert.customer_id,
        destination=DESTINATION,
        status=status,
        attempt=tries,
        at_ms=now_ms,
        http_status=attempt.http_status,
        error=attempt.error,
    )
