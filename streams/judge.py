"""The judge in office: catalogue and newest models, followed from `model-snapshots`.

A snapshot whose signature is not ours is refused: the model before it stays. Every
worker follows the whole topic, and `current` is the one way to ask.
"""

from __future__ import annotations

import logging

from infra.settings import SettingsError
from models.catalogue import parse
from models.judge import Judge
from models.online.seating import seated
from models.online.signing import SnapshotError
from models.online.snapshots import glance, is_kept
from models.topics import MODEL_SNAPSHOTS
from streams.app import app, settings
from streams.lane import Record

_log = logging.getLogger(__name__)


class Seat:
    """Holds the judge. A snapshot is read when it is first needed, the newest of each model."""

    def __init__(self, judge: Judge, secret: bytes) -> None:
        self.refused = 0  # snapshots that were not ours
        self._judge = judge
        self._secret = secret
        self._waiting: dict[bytes, bytes] = {}

    def note(self, record: Record) -> None:
        """Take a record of `model-snapshots`."""
        if record.key is not None and record.value is not None and not is_kept(record.key):
            self._waiting[record.key] = record.value

    def current(self) -> Judge:
        """Return the judge with the newest models; the same object until there is a newer one."""
        while self._waiting:
            key, value = self._waiting.popitem()
            try:
                self._judge = seated(self._judge, glance(value, self._secret))
            except SnapshotError as error:
                self.refused += 1
                _log.error("refused a snapshot of %s: %s", key.decode(errors="replace"), error)
        return self._judge


def secret() -> bytes:
    """Return the key that signs snapshots. Raises SettingsError when none is set."""
    key = settings.snapshot_secret.get_secret_value()
    if not key:
        raise SettingsError(
            "C360_SNAPSHOT_SECRET: not set; `c360 up` makes one, or set any long random text"
        )
    return key.encode()


_catalogue = parse(settings.offers_text())
_seat = Seat(
    Judge.untrained(_catalogue, settings.horizon_days, settings.contract_horizon_days),
    settings.snapshot_secret.get_secret_value().encode(),
)
current = _seat.current
app.follow(MODEL_SNAPSHOTS, _seat.note)
