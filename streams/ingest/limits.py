"""How much one sender may send, and how much all may have in flight.

Memory is bounded here: what does not fit is answered, never queued.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from math import ceil
from types import TracebackType
from typing import Self

from streams.ingest.problems import ProblemError, busy


class TokenBucket:
    """`rate` events a second; what was not used lasts for one burst."""

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = burst
        self._at = clock()

    def take(self, events: int) -> None:
        """Spend one token an event. Raises ProblemError 429 with the wait in seconds."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if events > self._tokens:
            wait = ceil((events - self._tokens) / self._rate)
            detail = f"more than {self._rate:g} events a second with this key"
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, retry_after=wait)
        self._tokens -= events


class Budget:
    """Bytes that requests may hold in memory, all together."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def hold(self) -> Hold:
        """Return one request's share: grows while it is read, given back when it is answered."""
        return Hold(self)


class Hold:
    """What one request holds; a context manager."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._size = 0

    def add(self, size: int) -> None:
        """Take more. Raises ProblemError 503 when all requests together hold too much."""
        if self._budget.held + size > self._budget.limit:
            raise busy("too many requests in flight", retry_after=1)
        self._budget.held += size
        self._size += size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._budget.held -= self._size
        self._size = 0
