"""What the stream itself records: nobody outside can send these."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.events.base import Id, Recorded


class CustomerMerged(Recorded):
    """`loser` turned out to be `winner`; keyed by the loser, whose fold forwards."""

    type: Literal["customer_merged"] = "customer_merged"
    schema_version: Literal[1] = 1
    winner: Id
    loser: Id
    link_id: Id


class CustomerAbsorbed(Recorded):
    """What the loser had gathered reaches the winner; `state` is the loser's Customer, as JSON."""

    type: Literal["customer_absorbed"] = "customer_absorbed"
    schema_version: Literal[1] = 1
    loser: Id
    state: str


class TimerFired(Recorded):
    """Nothing came for this customer until `due_ms`: silence is a signal."""

    type: Literal["timer_fired"] = "timer_fired"
    schema_version: Literal[1] = 1
    due_ms: int = Field(ge=0)
