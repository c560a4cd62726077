"""Dead letters: what no retry can make valid goes there whole, and the stream goes on.

A letter is one of the batch's outputs, so it is on the broker before the batch is
acknowledged: a refused message is never lost.
"""

from __future__ import annotations

import logging

from models.dead_letter import headers_of
from models.errors import TouchpointRejectedError
from models.topics import DEAD_LETTERS
from streams.lane import Batch, Outbox, Record

_log = logging.getLogger(__name__)


def bury(outbox: Outbox, batch: Batch, record: Record, rejected: TouchpointRejectedError) -> None:
    """Add the letter for one record of a batch to what the batch sends."""
    source = f"{batch.topic}/{batch.partition}/{record.offset}"
    _log.warning("refused %s: %s", source, rejected.reason.value)
    headers = headers_of(rejected, source, record.headers)
    outbox.send(DEAD_LETTERS, record.key, record.value, tuple(headers))
