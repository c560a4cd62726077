"""What stands on `identity-links`: links between customers, and a person's word to part them.

One partition holds them all, so they have one order. What a command is called follows
from what it says, so the same command stated twice is one.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from models.events.base import Identifier
from models.events.clock import MAX_MS
from models.identity import customer_id_of

Kind = Literal["observed", "identified", "aliased", "stated"]

_Id = Annotated[str, Meta(min_length=1, max_length=200)]
_Type = Annotated[str, Meta(max_length=50)]
_Reason = Annotated[str, Meta(max_length=500)]
_Milliseconds = Annotated[int, Meta(ge=0, le=MAX_MS)]  # beyond is no time of this world


class Link(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="link", gc=False):
    """Two customers that one event named at once, or a person. `left` is the weaker name.

    `by` and `reason` are of a merge that a person asked for, kind "stated".
    """

    link_id: _Id
    kind: Kind
    left: _Id  # customer id
    left_type: _Type  # of the identifier it follows from; empty: not known
    right: _Id
    right_type: _Type
    event_id: _Id
    at_ms: _Milliseconds
    received_ms: _Milliseconds
    by: Annotated[str, Meta(max_length=200)] = ""
    reason: _Reason = ""


class Unmerge(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="unmerge", gc=False):
    """Take `customer`, a member, out of the group that it is in."""

    unmerge_id: _Id
    customer: _Id
    by: Annotated[str, Meta(min_length=1, max_length=200)]
    reason: _Reason
    at_ms: _Milliseconds
    received_ms: _Milliseconds


Command = Link | Unmerge

encode: Final[Callable[[object], bytes]] = msgspec.json.Encoder().encode
decode_link: Final[Callable[[bytes], Command]] = msgspec.json.Decoder(Command).decode
"""Read a command. Raises msgspec.DecodeError on what is none."""


def state_merge(
    left: Identifier | str, right: Identifier | str, by: str, reason: str, at_ms: int
) -> Link:
    """Return the link by which a person says that two are one.

    Either is an identifier in its one spelling, or the id of a customer who is linked already.
    """
    (left_id, left_type), (right_id, right_type) = _named(left), _named(right)
    link_id = called("l", "stated", left_id, right_id, by, reason, str(at_ms))
    return Link(
        link_id=link_id, kind="stated", left=left_id, left_type=left_type,
        right=right_id, right_type=right_type, event_id=link_id,
        at_ms=at_ms, received_ms=at_ms, by=by, reason=reason,
    )  # fmt: skip


def state_unmerge(customer_id: str, by: str, reason: str, at_ms: int) -> Unmerge:
    """Return the command by which a person says that a member is somebody else."""
    unmerge_id = called("u", customer_id, by, reason, str(at_ms))
    return Unmerge(unmerge_id, customer_id, by, reason, at_ms, at_ms)


def called(sign: str, *said: str) -> str:
    """Return the id that follows from what is said."""
    return f"{sign}_{blake2b(':'.join(said).encode(), digest_size=10).hexdigest()}"


def _named(who: Identifier | str) -> tuple[str, str]:
    if isinstance(who, str):
        return who, ""
    return customer_id_of(who), who.type.value
