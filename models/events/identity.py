"""Who customers are: names, links, groups and what they consent to."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.events.base import Contact, Id, Identifier, Label, Name, Traits


class CustomerIdentified(Contact):
    """A customer told who they are; the identifiers belong together."""

    type: Literal["customer_identified"] = "customer_identified"
    schema_version: Literal[1] = 1
    traits: Traits = Field(default_factory=dict)


class CustomerAliased(Contact):
    """Stated outright: `previous` is the same customer as the identifiers."""

    type: Literal["customer_aliased"] = "customer_aliased"
    schema_version: Literal[1] = 1
    previous: tuple[Identifier, ...] = Field(min_length=1, max_length=5)


class ConsentChanged(Contact):
    """The customer allowed or forbade a use of their data."""

    type: Literal["consent_changed"] = "consent_changed"
    schema_version: Literal[1] = 1
    purpose: Name  # "marketing", "analytics", "email"
    granted: bool
    policy: Label | None = None  # version of the text agreed to


class GroupJoined(Contact):
    """The customer belongs to a company, household, or the like."""

    type: Literal["group_joined"] = "group_joined"
    schema_version: Literal[1] = 1
    group_id: Id
    traits: Traits = Field(default_factory=dict)
