"""Contacts with people: calls in and out, visits. Durations in seconds."""

from __future__ import annotations

from typing import Literal

from models.events.base import Channel, Contact, Id, Label, Seconds, Text

CallOutcome = Literal[
    "resolved", "unresolved", "transferred", "abandoned", "no_answer", "voicemail", "callback"
]


class CallReceived(Contact):
    """The customer called us."""

    type: Literal["call_received"] = "call_received"
    schema_version: Literal[1] = 1
    channel: Channel = Channel.PHONE
    call_id: Id | None = None
    duration_seconds: Seconds | None = None
    wait_seconds: Seconds | None = None
    outcome: CallOutcome | None = None
    agent: Label | None = None
    topic: Label | None = None
    queue: Label | None = None
    notes: Text | None = None


class CallMade(Contact):
    """We called the customer."""

    type: Literal["call_made"] = "call_made"
    schema_version: Literal[1] = 1
    channel: Channel = Channel.PHONE
    call_id: Id | None = None
    duration_seconds: Seconds | None = None
    outcome: CallOutcome | None = None
    agent: Label | None = None
    topic: Label | None = None
    campaign: Label | None = None
    notes: Text | None = None


class VisitMade(Contact):
    """Customer and company met: at a branch, on the web, or at the customer's."""

    type: Literal["visit_made"] = "visit_made"
    schema_version: Literal[1] = 1
    kind: Literal["branch", "web", "technician", "salesperson"]
    visit_id: Id | None = None
    place: Label | None = None
    duration_seconds: Seconds | None = None
    wait_seconds: Seconds | None = None
    staff: Label | None = None
    purpose: Label | None = None
    outcome: Label | None = None
    notes: Text | None = None
