"""JSON that is signed (HMAC-SHA256 over its bytes), and read only when the signature is ours."""

from __future__ import annotations

import hmac

_HEAD = b'{"signature":"'
_MIDDLE = b'","snapshot":'
_HEX = 64


class SnapshotError(ValueError):
    """A snapshot is not signed with our secret, or of a format that this code does not know."""


def seal(body: bytes, secret: bytes) -> bytes:
    """Sign JSON as it is: {"signature": hex, "snapshot": {…}}."""
    return _HEAD + _sign(body, secret) + _MIDDLE + body + b"}"


def unseal(value: bytes, secret: bytes) -> bytes:
    """Return the JSON that `seal` signed. Raises SnapshotError when it is not what we signed."""
    start = len(_HEAD)
    signed = value[start : start + _HEX]
    body = value[start + _HEX + len(_MIDDLE) : -1]
    if value != _HEAD + signed + _MIDDLE + body + b"}":
        raise SnapshotError("not a signed snapshot")
    if not hmac.compare_digest(signed, _sign(body, secret)):
        raise SnapshotError("the signature does not match the snapshot secret")
    return body


def signature(value: bytes) -> str:
    """Return the signature of what `seal` wrote."""
    return value[len(_HEAD) : len(_HEAD) + _HEX].decode()


def _sign(body: bytes, secret: bytes) -> bytes:
    if not secret:
        raise SnapshotError("no snapshot secret is set")
    return hmac.digest(secret, body, "sha256").hex().encode()
