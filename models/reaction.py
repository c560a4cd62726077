"""What the fold is told and tells: where a record stands, and what comes of it."""

from __future__ import annotations

from typing import NamedTuple

from mypy_extensions import mypyc_attr

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


# Plain classes, not structs: compiled, their fields are read without a look-up by name. They
# hold no cycles (`acyclic`), so nobody looks for any among them.
@mypyc_attr(acyclic=True)
class Judgement:
    """The customer after it, and what goes out."""

    def __init__(
        self,
        customer: Customer,
        examples: list[Example | Reserved] | None = None,
        alerts: list[Alert] | None = None,
    ) -> None:
        self.customer = customer
        self.scores: list[Score] = []
        self.decisions: list[Decision] = []
        self.alerts: list[Alert] = [] if alerts is None else alerts
        self.examples: list[Example | Reserved] = [] if examples is None else examples


@mypyc_attr(acyclic=True)
class Reaction:
    """The customer after the event, and what goes out. `changed`: there is something to keep."""

    def __init__(self, customer: Customer, changed: bool = True) -> None:
        self.customer = customer
        self.changed = changed
        self.scores: list[Score] = []
        self.decisions: list[Decision] = []
        self.alerts: list[Alert] = []
        self.examples: list[Example | Reserved] = []
        self.events: list[Event] = []  # for other customers, each keyed by its own

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
