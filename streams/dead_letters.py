"""Dead letters: what no retry can make valid goes there whole, and the stream goes on.

A letter is one of the batch's outputs, so it is on the broker before the batch is
acknowledged: a refused message is never lost.
"""

from __future__ import annotations

import logging
from collections import Counter
from time import monotonic

from models.dead_letter import headers_of
from models.errors import TouchpointRejectedError
from models.topics import DEAD_LETTERS
from streams.lane import Batch, Outbox, Record

SAID_EVERY = 5.0  # seconds: a flood of bad input must not become a flood of log lines

_log = logging.getLogger(__name__)


class Tally:
    """Counts refusals by reason, and says each reason's count at most every SAID_EVERY."""

    def __init__(self) -> None:
        self._unsaid: Counter[str] = Counter()
        self._said: dict[str, float] = {}

    def add(self, reason: str, source: str) -> None:
        """Count one refusal; `source` is where the message is."""
        self._unsaid[reason] += 1
        now = monotonic()
        if now - self._said.get(reason, -SAID_EVERY) >= SAID_EVERY:
            self._said[reason] = now
            _log.warning("refused %s: %s (%d new)", source, reason, self._unsaid.pop(reason))


_tally = Tally()


def bury(outbox: Outbox, batch: Batch, record: Record, rejected: TouchpointRejectedError) -> None:
    """Add the letter for one record of a batch to what the batch sends."""
    source = f"{batch.topic}/{batch.partition}/{record.offset}"
    _tally.add(rejected.reason.value, source)
    headers = headers_of(rejected, source, record.headers)
    outbox.send(DEAD_LETTERS, record.key, record.value, tuple(headers))
