"""The newest events of a customer, remembered by fingerprint, so that a client's retry counts once.

One text of fixed-width marks, oldest first: it costs no more to read than a name.
"""

from __future__ import annotations

from binascii import b2a_base64
from hashlib import blake2b
from typing import Final

from models.events.base import Recorded

_WIDTH: Final = 8  # 48 bits in base64: a false match in 256 marks is one in 10^12
WINDOW: Final = 256
_KEPT: Final = (WINDOW - 1) * _WIDTH  # beside one more
_digest: Final = blake2b(digest_size=6)  # of nothing yet: a copy costs less than another


def mark_of(event: Recorded) -> str:
    """Return the fingerprint of an event: its id, and the source that gave it the id."""
    named = f"{event.source}\0{event.event_id}".encode()
    digest = _digest.copy()
    digest.update(named)
    return b2a_base64(digest.digest(), newline=False).decode()


def has(seen: str, mark: str) -> bool:
    """Tell whether the mark is among those remembered."""
    if mark not in seen:
        return False
    at = seen.find(mark)
    while at >= 0 and at % _WIDTH:  # across the border of two others
        at = seen.find(mark, at + 1)
    return at >= 0


def add(seen: str, mark: str) -> str:
    """Return the memory with one mark more, the oldest beyond the window forgotten."""
    return seen[len(seen) - _KEPT :] + mark if len(seen) > _KEPT else seen + mark


def join(ours: str, theirs: str) -> str:
    """Return one memory of two: ours is the newer, theirs gets at most half."""
    if not theirs:
        return ours
    known = set(_marks(ours))
    newest = _marks(theirs[-WINDOW // 2 * _WIDTH :])
    return ("".join(mark for mark in newest if mark not in known) + ours)[-WINDOW * _WIDTH :]


def regain(ours: str, own: str) -> str:
    """Return our memory with the newest of our own in it: at most half, in place of our oldest.

    A group's memory is of all its members; who leaves it needs those of its own again.
    """
    half = WINDOW // 2 * _WIDTH
    return join(ours[-max(half, WINDOW * _WIDTH - len(own)) :], own)


def _marks(seen: str) -> list[str]:
    return [seen[at : at + _WIDTH] for at in range(0, len(seen), _WIDTH)]
