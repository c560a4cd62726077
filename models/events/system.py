"""What the stream itself records: nobody outside can send these."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.events.base import Id, Label, Name, Recorded


class CustomerMerged(Recorded):
    """`loser` turned out to be `winner`; keyed by the loser, whose fold forwards.

    `generation`: of the winner's group.
    """

    type: Literal["customer_merged"] = "customer_merged"
    schema_version: Literal[1] = 1
    winner: Id
    loser: Id
    link_id: Id


class CustomerAbsorbed(Recorded):
    """What the loser had gathered reaches the winner; `state` is the loser's Customer, as JSON.

    `part`: it is what the log gives of one member's own events, after a regrouping.
    """

    type: Literal["customer_absorbed"] = "customer_absorbed"
    schema_version: Literal[1] = 1
    loser: Id
    state: str
    part: bool = False


class CustomerRegrouped(Recorded):
    """An unmerge gave this member, whose key it has, another place: from here on, it begins anew.

    `root` is who it is now, itself perhaps; `generation` the unmerge's offset on
    identity-links; `others` how many other members the root's group has.
    """

    type: Literal["customer_regrouped"] = "customer_regrouped"
    schema_version: Literal[1] = 1
    root: Id
    generation: int = Field(ge=0)
    others: int = Field(ge=0)
    unmerge_id: Id
    by: Name
    reason: Label


class CustomerRefolded(Recorded):
    """What this member's own events give, up to where its regrouping stands in the log.

    `until` is that offset in the member's partition; `state` a Customer, as JSON.
    """

    type: Literal["customer_refolded"] = "customer_refolded"
    schema_version: Literal[1] = 1
    generation: int = Field(ge=0)
    until: int = Field(ge=0)
    state: str


class EpisodesReturned(Recorded):
    """Episodes go back to the customer under whose id they were opened, after an unmerge.

    `state` is JSON: rule -> Episode. The owner's root holds them, so this goes on to it.
    """

    type: Literal["episodes_returned"] = "episodes_returned"
    schema_version: Literal[1] = 1
    owner: Id
    state: str


class TimerFired(Recorded):
    """Nothing came for this customer until `due_ms`: silence is a signal."""

    type: Literal["timer_fired"] = "timer_fired"
    schema_version: Literal[1] = 1
    due_ms: int = Field(ge=0)
