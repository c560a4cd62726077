"""What becomes of one cell: text to a number, an amount, a moment, or a reason why not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from models.errors import Reason, TouchpointRejectedError


class Part(BaseModel):
    """A part of a mapping: frozen, and closed to words nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Use(Part):
    """What becomes of one column: an identifier, or a field at a dotted path."""

    identifier: str | None = None
    field: str | None = Field(None, pattern=r"^[a-z_]+(\.([A-Za-z_][A-Za-z0-9_]*|[0-9]{1,2}))*$")
    as_: Literal["text", "integer", "number", "decimal", "boolean", "time"] = Field(
        "text", alias="as"
    )
    format: str = Field("iso", description="of a time: iso, seconds, milliseconds or strptime's")
    zone: str = Field("UTC", description="of a time that names none, such as Asia/Seoul")
    values: dict[str, str] = Field(default_factory=dict, description="what a cell stands for")
    per: str | None = Field(None, description="of a decimal: the column to divide it by")
    empty: Literal["leave", "reject"] = "leave"

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.identifier is None) == (self.field is None):
            raise ValueError("name either `identifier` or `field`")
        return self

    @field_validator("zone")
    @classmethod
    def _zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no such time zone: {zone}") from error
        return zone


def value_of(cell: object, use: Use, column: str) -> object:
    """Return what the cell says, None when it is left empty. Raises TouchpointRejectedError."""
    text = cell.strip() if isinstance(cell, str) else cell
    if text is None or text == "":
        if use.empty == "reject":
            raise TouchpointRejectedError(Reason.BAD_FIELD, "is empty", column)
        return None
    if use.values:
        if str(text) not in use.values:
            raise TouchpointRejectedError(
                Reason.BAD_FIELD, f"{text!r} is none of {', '.join(use.values)}", column
            )
        text = use.values[str(text)]
    try:
        return _typed(text, use)
    except (ValueError, InvalidOperation, OverflowError) as error:
        reason = Reason.BAD_TIME if use.as_ == "time" else Reason.BAD_FIELD
        raise TouchpointRejectedError(reason, f"{text!r}: not {use.as_}", column) from error


def _typed(cell: object, use: Use) -> object:
    match use.as_:
        case "text":
            return str(cell)
        case "integer":
            return int(str(cell))
        case "number":
            return float(str(cell))
        case "decimal":
            return str(Decimal(str(cell)))  # a string on the wire: no float comes near money
        case "boolean":
            return _boolean(str(cell))
        case "time":
            return _time(cell, use).isoformat()


def shared(amount: object, units: object, column: str) -> str:
    """Divide, to as many decimals as the amount has: a unit's price is no finer than money."""
    whole = Decimal(str(amount))
    try:
        share = whole / Decimal(str(units).strip())
    except ArithmeticError as error:
        raise TouchpointRejectedError(
            Reason.BAD_FIELD, f"cannot divide by {units!r}", column
        ) from error
    return str(share.quantize(Decimal(1).scaleb(int(whole.as_tuple().exponent))))


def _boolean(cell: str) -> bool:
    match cell.casefold():
        case "1" | "true" | "t" | "yes" | "y":
            return True
        case "0" | "false" | "f" | "no" | "n":
            return False
    raise ValueError(cell)


def _time(cell: object, use: Use) -> datetime:
    if isinstance(cell, datetime):
        moment = cell
    elif isinstance(cell, date):
        moment = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001  its zone follows
    elif use.format in ("seconds", "milliseconds"):
        scale = 1 if use.format == "seconds" else 1000
        moment = datetime.fromtimestamp(float(str(cell)) / scale, UTC)
    elif use.format == "iso":
        moment = datetime.fromisoformat(str(cell))
    else:
        moment = _parsed(str(cell), use.format)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(use.zone))


@lru_cache(maxsize=4096)  # a table's dates repeat, and reading one takes 30 µs
def _parsed(text: str, format_: str) -> datetime:
    return datetime.strptime(text, format_)  # noqa: DTZ007  its zone follows
