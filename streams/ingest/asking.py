"""What a person may ask of identities, read from a request's body.

Customers are named as everywhere: by customer id, or by "type:value" of an identifier.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Final, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Struct

from models.events.base import Identifier
from models.identity import customer_id_of
from models.identity_rules import SHIPPED, Rules
from models.links import Link, Unmerge, state_merge, state_unmerge
from models.naming import CUSTOMER_ID, identifier_of
from streams.ingest.problems import ProblemError

Who = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=220,
        description="a customer id, or type:value of an identifier",
        examples=["email:ana@example.com"],
    ),
]
By = Annotated[str, Meta(min_length=1, max_length=200, description="who asks for it")]
Why = Annotated[str, Meta(min_length=1, max_length=500, description="why, for who looks later")]
Body = TypeVar("Body", bound=Struct)


class MergeAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """Make two customers one."""

    left: Who
    right: Who
    by: By
    reason: Why


class UnmergeAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """Take a member out of its customer: named by `customer`, its id, or by `identifier`."""

    by: By
    reason: Why
    # Bounded, too: to a pattern's end a line's end is none.
    customer: Annotated[str, Meta(pattern=f"^{CUSTOMER_ID.pattern}$", max_length=22)] | None = None
    identifier: Who | None = None


class Kind(NamedTuple):
    """A kind of command: where it is posted, what of, and how it is read (body, now ms, rules)."""

    path: str
    name: str
    about: str
    body: type[Struct]
    read: Callable[[bytes, int, Rules], Link | Unmerge]


def merge(body: bytes, now_ms: int, rules: Rules = SHIPPED) -> Link:
    """Return the link that a request states. Raises ProblemError 400 or 422."""
    asked = _decoded(body, MergeAsked)
    left, right = _named(asked.left, "left", rules), _named(asked.right, "right", rules)
    link = state_merge(left, right, asked.by, asked.reason, now_ms)
    if link.left == link.right:
        raise unprocessable("left and right name the same customer", "right")
    return link


def unmerge(body: bytes, now_ms: int, rules: Rules = SHIPPED) -> Unmerge:
    """Return the command that a request states. Raises ProblemError 400 or 422."""
    asked = _decoded(body, UnmergeAsked)
    if (asked.customer is None) == (asked.identifier is None):
        raise unprocessable("name the member by `customer` or by `identifier`", "customer")
    member = asked.customer or _named(asked.identifier or "", "identifier", rules)
    if isinstance(member, Identifier):
        member = customer_id_of(member)
    return state_unmerge(member, asked.by, asked.reason, now_ms)


KINDS: Final = (
    Kind(
        "/v1/identity/merge",
        "merge",
        "Make two customers one, whether or not the rules would link them.",
        MergeAsked,
        merge,
    ),
    Kind(
        "/v1/identity/unmerge",
        "unmerge",
        "Take a member out of its customer: each side becomes what its own events give.",
        UnmergeAsked,
        unmerge,
    ),
)


def unprocessable(detail: str, where: str) -> ProblemError:
    """Return the answer to what can be read and not be done; `where`: field or header."""
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, where=where)


def _decoded(body: bytes, kind: type[Body]) -> Body:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        said, _, where = str(error).partition(" - at `$.")
        raise unprocessable(said, where.rstrip("`")) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"not JSON: {error}") from error


def _named(text: str, where: str, rules: Rules) -> Identifier | str:
    if CUSTOMER_ID.fullmatch(text):
        return text
    identifier = identifier_of(text, rules)
    if identifier is None:
        raise unprocessable(
            f"{text!r} names nobody: give a customer id or type:value of an identifier", where
        )
    return identifier
