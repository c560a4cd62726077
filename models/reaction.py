"""What the fold is told and tells: where a record stands, and what comes of it."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct, field

from models.customer import Customer
from models.events.union import Event
from models.records import Alert, Decision, Example, Reserved, Score


class Position(NamedTuple):
    """Where a record is in the log."""

    log: str  # "events"
    partition: int
    offset: int

    @property
    def origin(self) -> str:
        """The log's partition, as `Event.origin` names it: "events/5"."""
        return f"{self.log}/{self.partition}"


class Judgement(Struct):
    """The customer after it, and what goes out."""

    customer: Customer
    scores: list[Score] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    examples: list[Example | Reserved] = field(default_factory=list)


class Reaction(Struct):
    """The customer after the event, and what goes out. `changed`: there is something to keep."""

    customer: Customer
    changed: bool = True
    scores: list[Score] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    examples: list[Example | Reserved] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)  # for other customers, each keyed by its own

    def take(self, judgement: Judgement) -> None:
        """Add what was judged, and go on with the customer it left."""
        self.customer = judgement.customer
        # Most often there is a score and nothing else.
        if judgement.scores:
            self.scores += judgement.scores
        if judgement.decisions:
            self.decisions += judgement.decisions
        if judgement.alerts:
            self.alerts += judgement.alerts
        if judgement.examples:
            self.examples += judgement.examples
