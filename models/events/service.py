"""Tickets and feedback: what customers ask of us and say about us."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from models.events.base import Contact, Id, Instant, Label, Text

Priority = Literal["low", "normal", "high", "urgent"]
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "review": (1, 5)}


class TicketOpened(Contact):
    """The customer asked or complained."""

    type: Literal["ticket_opened"] = "ticket_opened"
    schema_version: Literal[1] = 1
    ticket_id: Id
    kind: Literal["question", "complaint", "request", "incident", "other"] = "other"
    priority: Priority = "normal"
    topic: Label | None = None
    subject: Label | None = None
    text: Text | None = None
    sla_due: Instant | None = None  # when an answer is due
    order_id: Id | None = None


class TicketUpdated(Contact):
    """A ticket moved on."""

    type: Literal["ticket_updated"] = "ticket_updated"
    schema_version: Literal[1] = 1
    ticket_id: Id
    status: Literal["open", "pending", "on_hold", "answered", "reopened"] = "open"
    priority: Priority | None = None
    agent: Label | None = None
    sla_due: Instant | None = None
    text: Text | None = None


class TicketClosed(Contact):
    """A ticket was closed."""

    type: Literal["ticket_closed"] = "ticket_closed"
    schema_version: Literal[1] = 1
    ticket_id: Id
    resolution: Literal["solved", "unsolved", "duplicate", "withdrawn"] = "solved"
    agent: Label | None = None
    text: Text | None = None


class FeedbackGiven(Contact):
    """The customer rated us: NPS 0-10, CSAT 1-5, CES 1-7, review 1-5."""

    type: Literal["feedback_given"] = "feedback_given"
    schema_version: Literal[1] = 1
    kind: Literal["nps", "csat", "ces", "review"]
    score: float = Field(ge=0, le=10, allow_inf_nan=False)
    text: Text | None = None
    about: Label | None = None  # product, ticket, order
    survey: Label | None = None

    @model_validator(mode="after")
    def _on_its_scale(self) -> FeedbackGiven:
        lowest, highest = SCALES[self.kind]
        if not lowest <= self.score <= highest:
            raise PydanticCustomError("off_the_scale", "not on the scale of its kind")
        return self
