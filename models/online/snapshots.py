"""Model snapshots: JSON, signed, so that what a worker loads is what a learner wrote.

Nothing is read from a snapshot before its signature (HMAC-SHA256 over the body's
bytes) has been checked. No pickle: a snapshot can only ever be data.
"""

from __future__ import annotations

import hmac
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct, field

from models.reports import Change

FORMAT = 4
READ = (3, FORMAT)  # of 3 a blend has no calibration, and begins one
_HEAD = b'{"signature":"'
_MIDDLE = b'","snapshot":'
_HEX = 64
NOTHING = Raw(b"null")


class SnapshotError(ValueError):
    """A snapshot is not signed with our secret, or of a format that this code does not know."""


class FormatError(SnapshotError):
    """A snapshot of ours, as another version of this code wrote it."""


class Progress(Struct, frozen=True, kw_only=True):
    """How far a learner is, besides the model's own state."""

    seen: int = 0  # examples judged, learnt or not
    reported: int = 0  # of them, by the newest report
    reported_day: int = -1
    kept_day: int = -1  # day of the newest label when a state was last kept
    at_ms: int = 0  # the newest label's time
    kept: list[int] = field(default_factory=list)  # versions that one can go back to
    history: list[Change] = field(default_factory=list)


class Snapshot(Struct, frozen=True, kw_only=True):
    """One model as it stands after the record at `offset` of its log.

    What predicts is `served`; `state` is what else the learner needs to go on, and empty where
    what predicts is all there is.
    """

    model: str
    version: int  # examples learnt, ever, and commands that changed what serves
    offset: int
    state: dict[str, Any] = field(default_factory=dict)
    served: Raw = NOTHING
    champion: str = ""  # the candidate that is served
    horizon: str = ""  # what the labels mean that it learnt
    frozen: bool = False
    river: str = ""  # River's version, under which it was learnt
    evaluation: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)  # of what was served, newest report's
    progress: Progress = Progress()
    format: int = FORMAT


class Sight(Struct, frozen=True, kw_only=True):
    """What scorers read of a snapshot; the rest is passed over."""

    model: str
    version: int
    served: Raw
    horizon: str
    format: int


class Kept(Struct, frozen=True, kw_only=True):
    """An earlier state of a model, to which a rollback can go back."""

    model: str
    version: int
    learnt: int
    champion: str
    horizon: str
    state: Raw
    format: int = FORMAT


S = TypeVar("S", Snapshot, Sight)
_encoder = msgspec.json.Encoder()
_snapshots = msgspec.json.Decoder(Snapshot)
_sights = msgspec.json.Decoder(Sight)


def encode(snapshot: Snapshot, secret: bytes) -> bytes:
    """Write a snapshot as signed JSON: {"signature": hex, "snapshot": {…}}."""
    return seal(_encoder.encode(snapshot), secret)


def seal(body: bytes, secret: bytes) -> bytes:
    """Sign JSON as it is, as `encode` does."""
    return _HEAD + _sign(body, secret) + _MIDDLE + body + b"}"


def decode(value: bytes, secret: bytes) -> Snapshot:
    """Read what `encode` wrote. Raises SnapshotError, saying what is wrong with it."""
    return _read(value, secret, _snapshots)


def glance(value: bytes, secret: bytes) -> Sight:
    """Read of a snapshot what scorers need. Raises SnapshotError as `decode` does."""
    return _read(value, secret, _sights)


def kept_key(model: str, version: int) -> bytes:
    """Return the key of an earlier state, beside the model's own."""
    return f"{model}@{version}".encode()


def is_kept(key: bytes) -> bool:
    """Tell whether a key of `model-snapshots` is that of an earlier state."""
    return b"@" in key


def unseal(value: bytes, secret: bytes) -> bytes:
    """Return the JSON that `seal` signed. Raises SnapshotError when it is not what we signed."""
    start = len(_HEAD)
    signature = value[start : start + _HEX]
    body = value[start + _HEX + len(_MIDDLE) : -1]
    if value != _HEAD + signature + _MIDDLE + body + b"}":
        raise SnapshotError("not a signed snapshot")
    if not hmac.compare_digest(signature, _sign(body, secret)):
        raise SnapshotError("the signature does not match the snapshot secret")
    return body


def _read(value: bytes, secret: bytes, decoder: msgspec.json.Decoder[S]) -> S:
    try:
        snapshot = decoder.decode(unseal(value, secret))
    except msgspec.ValidationError as error:
        raise FormatError(f"not a snapshot that this version knows: {error}") from error
    if snapshot.format not in READ:
        raise FormatError(
            f"format {snapshot.format}; this version knows {FORMAT}:"
            " `c360 rebuild models --swap` learns the model anew"
        )
    return snapshot


def _sign(body: bytes, secret: bytes) -> bytes:
    if not secret:
        raise SnapshotError("no snapshot secret is set")
    return hmac.digest(secret, body, "sha256").hex().encode()
