"""Model snapshots: JSON, signed, so that what a worker loads is what a learner wrote.

Nothing is read from a snapshot before its signature (HMAC-SHA256 over the body's
bytes) has been checked. No pickle: a snapshot can only ever be data.
"""

from __future__ import annotations

import hmac
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

FORMAT = 1
_HEAD = b'{"signature":"'
_MIDDLE = b'","snapshot":'
_HEX = 64


class SnapshotError(ValueError):
    """A snapshot is not signed with our secret, or of a format that this code does not know."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """One model as it stands after the example at `offset` of its partition."""

    model: str
    version: int  # examples learnt, ever: neither a reset nor a rollback takes any back
    offset: int
    state: dict[str, Any]
    served: Raw = Raw(b"null")  # what predicts, and all of a snapshot that scorers read
    champion: str = ""  # the candidate that is served
    frozen: bool = False
    river: str = ""  # River's version, under which it was learnt
    evaluation: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    format: int = FORMAT


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Snapshot)


def encode(snapshot: Snapshot, secret: bytes) -> bytes:
    """Write a snapshot as signed JSON: {"signature": hex, "snapshot": {…}}."""
    body = _encoder.encode(snapshot)
    return _HEAD + _sign(body, secret) + _MIDDLE + body + b"}"


def decode(value: bytes, secret: bytes) -> Snapshot:
    """Read what `encode` wrote. Raises SnapshotError, saying what is wrong with it."""
    start = len(_HEAD)
    signature = value[start : start + _HEX]
    body = value[start + _HEX + len(_MIDDLE) : -1]
    if value != _HEAD + signature + _MIDDLE + body + b"}":
        raise SnapshotError("not a signed snapshot")
    if not hmac.compare_digest(signature, _sign(body, secret)):
        raise SnapshotError("the signature does not match the snapshot secret")
    try:
        snapshot = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise SnapshotError(f"not a snapshot that this version knows: {error}") from error
    if snapshot.format != FORMAT:
        raise SnapshotError(f"format {snapshot.format}; this version knows {FORMAT}")
    return snapshot


def _sign(body: bytes, secret: bytes) -> bytes:
    if not secret:
        raise SnapshotError("no snapshot secret is set")
    return hmac.digest(secret, body, "sha256").hex().encode()
