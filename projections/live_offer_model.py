"""The newest offer model, followed from `model-snapshots`: for saying what would be offered.

It is looked at when somebody asks, and no more often than once a while; a snapshot that is not
ours is passed over, and the model before it goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from models.online.learner import OFFERS
from models.online.offers import OfferModel
from models.online.signing import SnapshotError
from models.online.snapshots import glance

_log = logging.getLogger(__name__)
LOOK_MS: Final = 1_000  # between two looks at newer snapshots
_state = msgspec.json.Decoder(dict[str, Any]).decode


class LiveOfferModel:
    """The model. `secret` signs what is ours; empty: nothing is read."""

    def __init__(self, secret: bytes, now_ms: Callable[[], int]) -> None:
        self.refused = 0  # snapshots that were not ours
        self._secret = secret
        self._now_ms = now_ms
        self._waiting: bytes | None = None
        self._looked_ms = -LOOK_MS
        self._model = OfferModel()

    def apply(self, records: Sequence[Any]) -> None:
        """Take in records of `model-snapshots`."""
        for record in records:
            if record.key == OFFERS.encode() and record.value and self._secret:
                self._waiting = record.value

    def now(self) -> OfferModel:
        """Return the newest model; nobody calls `learn_one` on it."""
        value, now = self._waiting, self._now_ms()
        if value is not None and now - self._looked_ms >= LOOK_MS:
            self._looked_ms, self._waiting = now, None
            try:
                self._model = OfferModel.from_state(_state(glance(value, self._secret).served))
            except (SnapshotError, msgspec.MsgspecError) as error:
                self.refused += 1
                _log.error("refused a snapshot of %s: %s", OFFERS, error)
        return self._model
