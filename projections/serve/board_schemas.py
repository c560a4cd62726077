"""What the API answers about all customers: searches, and the live board."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from projections.serve.part_schemas import Answer


class Found(Answer):
    """A customer that a search found."""

    customer_id: str
    name: str
    identifiers: list[str]
    probability: float | None
    band: Literal["low", "medium", "high"] | None
    last_seen_at: datetime | None
    open_alerts: int


class SearchAnswer(Answer):
    """What a search found, at most `limit`."""

    items: list[Found]


class Freshness(Answer):
    """From an event's acceptance to its customer's new record being readable here, in ms."""

    p50_ms: float
    p99_ms: float


class StepBehind(Answer):
    """A step's backlog in records; null: unknown."""

    step: str
    lag: int | None


class Stats(Answer):
    """The live board's figures."""

    ready: bool
    customers: int
    merged: int
    incomplete: int = Field(description="being put together anew after an unmerge")
    events: int
    scored: int
    events_per_second: float = Field(description="over the last ten seconds")
    events_each_second: list[int] = Field(description="the last minute, oldest first")
    freshness: Freshness | None = Field(description="of the last minute; null: nothing came")
    risk_bands: dict[str, int]
    risk_histogram: list[int] = Field(description="customers by churn probability, 5 % each")
    open_alerts: int
    dead_letters: int
    lag: list[StepBehind]
    unreadable_records: int
    kafka_answered_at: datetime | None
