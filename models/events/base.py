"""What every event carries, whatever happened.

The sender says who, what and when; the receiver adds `received_at`, `source`
and `observed_until`; resolving adds `customer_id` and where it came from.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    JsonValue,
)
from pydantic_core import PydanticCustomError, core_schema

from models.events.clock import EPOCH, YEARS, ms_of
from models.plain import plain

MILLISECOND = timedelta(milliseconds=1)

Id = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Label = Annotated[str, Field(max_length=500)]
Url = Annotated[str, Field(max_length=2_000)]
Text = Annotated[str, Field(max_length=8_000)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Seconds = Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)]


_TIMES = (str, datetime)


def _text(value: object) -> object:
    """Refuse bare numbers: seconds or milliseconds, nobody can tell."""
    if isinstance(value, _TIMES):
        return value
    raise PydanticCustomError("bad_time", "a time is ISO 8601 text")


def utc(at: datetime) -> datetime:
    """Return a time in UTC. Raises ValueError when no reader could tell it."""
    first, last = YEARS
    if not first <= at.year <= last:
        between = {"first": first, "last": last}
        raise PydanticCustomError("bad_time", "not between {first} and {last}", between)
    return at.astimezone(UTC)


class _Logged:
    """JSON is the log's own: its times are in UTC already, and need no call into Python."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        logged = core_schema.datetime_schema(strict=True, tz_constraint="aware")
        return core_schema.json_or_python_schema(logged, handler(source))


Instant = Annotated[AwareDatetime, BeforeValidator(_text), AfterValidator(utc), _Logged()]
Properties = Annotated[dict[Name, JsonValue], Field(max_length=200), BeforeValidator(plain)]
Scalar = (
    Annotated[str, Field(max_length=2_000)]
    | bool
    | int
    | Annotated[float, Field(allow_inf_nan=False)]
    | None
)
Traits = Annotated[dict[Name, Scalar], Field(max_length=100), BeforeValidator(plain)]


class Part(BaseModel):
    """A part of an event: frozen, and closed to fields nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Channel(StrEnum):
    """Where the contact took place."""

    WEB = "web"
    APP = "app"
    PHONE = "phone"
    BRANCH = "branch"  # a shop, a counter, a bank's branch
    FIELD = "field"  # at the customer's: technician, salesperson
    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    CHAT = "chat"
    SOCIAL = "social"
    PARTNER = "partner"
    SERVER = "server"  # a system of our own: billing, ERP
    OTHER = "other"


class IdentifierType(StrEnum):
    """What an identifier is; `models.identity_rules` ranks them."""

    USER_ID = "user_id"
    LOYALTY_CARD = "loyalty_card"
    EXTERNAL_ID = "external_id"  # in another system: "salesforce:0031"
    EMAIL = "email"
    PHONE = "phone"
    DEVICE_ID = "device_id"
    ANONYMOUS_ID = "anonymous_id"


class Identifier(Part):
    """One name that a customer goes by."""

    type: IdentifierType
    value: Id

    def __str__(self) -> str:
        return self.type + ":" + self.value  # a third of what formatting an enum costs


class Campaign(Part):
    """Where the visit came from: the utm parameters."""

    name: Label | None = None
    source: Label | None = None
    medium: Label | None = None
    term: Label | None = None
    content: Label | None = None


class Context(Part):
    """The circumstances, all optional."""

    campaign: Campaign | None = None
    app_name: Label | None = None
    app_version: Label | None = None
    device: Label | None = None  # "Apple iPhone17,1"
    os: Label | None = None
    locale: Label | None = None  # "ko-KR"
    timezone: Label | None = None  # "Asia/Seoul"
    ip: Label | None = None
    user_agent: Url | None = None
    session_id: Label | None = None
    place: Label | None = None  # city, branch


NO_CONTEXT = Context()


class Recorded(Part):
    """What every record in the event log carries."""

    event_id: Id
    occurred_at: Instant = Field(description="when it happened, UTC")
    received_at: Instant = Field(description="when it reached the log, UTC")
    source: Label = Field("", description="name of the write key or file it came by")
    customer_id: str = Field("", max_length=200, description="set by resolve")
    origin: str = Field("", max_length=300, description='log it was in before: "touchpoints/3"')
    origin_offset: int = Field(-1, ge=-1, description="its offset there")
    generation: int = Field(-1, ge=-1, description="of the group within which it was forwarded")

    @property
    def occurred_ms(self) -> int:
        """When it happened, ms since 1970."""
        return ms_of(self.occurred_at)

    @property
    def received_ms(self) -> int:
        """When it reached the log, ms since 1970."""
        return ms_of(self.received_at)


class Contact(Recorded):
    """What every touchpoint carries."""

    identifiers: tuple[Identifier, ...] = Field(min_length=1, max_length=20)
    utc_offset_minutes: int | None = Field(
        None, ge=-1_080, le=1_080, description="the event's own zone; unknown when absent"
    )
    observed_until: Instant | None = Field(
        None, description="a backfill's end: silence after it means nothing"
    )
    channel: Channel = Channel.OTHER
    context: Context = NO_CONTEXT
    properties: Properties = Field(
        default_factory=dict, description="what else was said: kept and shown, not interpreted"
    )

    @property
    def observed_until_ms(self) -> int | None:
        """A backfill's end, ms since 1970."""
        if self.observed_until is None:
            return None
        return (self.observed_until - EPOCH) // MILLISECOND
