"""What the API answers about who is one customer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from projections.serve.part_schemas import Answer, KnownIdentifier
from projections.serve.schemas import Head


class Member(Answer):
    """A customer id that is this customer, and the identifier that it follows from."""

    customer_id: str
    identifier: KnownIdentifier | None = Field(description="null: no event of it is known")


class NamedIdentifier(KnownIdentifier):
    """An identifier of this customer."""

    customer_id: str | None = Field(description="the member that it names; null: it came along")


class CustomerIdentity(Head):
    """Who this one customer is. The first member gave it its id."""

    generation: int | None = Field(
        description="offset on identity-links of the unmerge that it goes back to; null: none"
    )
    members: list[Member]
    identifiers: list[NamedIdentifier]


class Asked(Answer):
    """A customer that a command named, and who that is now."""

    asked: str
    customer_id: str | None = Field(description="who it is today; null: nobody yet")


class Outcome(Answer):
    """What became of a merge or an unmerge."""

    receipt: str
    status: Literal["waiting", "refused", "refolding", "done"] = Field(
        description="refolding: decided, and being read from the log again"
    )
    detail: str | None = Field(description="why it was refused")
    customers: list[Asked]
