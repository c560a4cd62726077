"""A mapping: which column of a table becomes which field of an event, in TOML.

A mapping is data. It names columns, fields and formats; it runs nothing.
"""

from __future__ import annotations

import tomllib
from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from infra.files.errors import FileUnreadableError
from models.errors import Reason, TouchpointRejectedError

SHIPPED = Path(__file__).parent / "mappings"

Json = dict[str, object]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Layout(_Part):
    """How a text table is laid out. `names` empty: the first line names the columns."""

    delimiter: str = Field(",", description='one character, or "whitespace" for runs of blanks')
    quote: str = Field('"', min_length=1, max_length=1)
    encoding: str = "utf-8-sig"  # takes a byte order mark away when there is one
    names: tuple[str, ...] = ()

    @property
    def joint(self) -> str:
        """What stands between two cells when a row is shown."""
        return " " if self.delimiter == "whitespace" else self.delimiter

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str) -> str:
        if delimiter != "whitespace" and len(delimiter) != 1:
            raise ValueError('must be one character or "whitespace"')
        return delimiter

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str) -> str:
        "".encode(encoding)  # LookupError is told as a bad value below
        return encoding


class Use(_Part):
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


class Mapping(_Part):
    """A table's columns as an event's fields; `event` holds what is the same in each."""

    layout: Layout = Layout()
    event: dict[str, object] = Field(default_factory=dict)
    columns: dict[str, Use | list[Use]] = Field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a mapping file, or one that ships by its bare name ("cdnow").

        Raises FileUnreadableError naming each fault by its place in the file.
        """
        shipped = SHIPPED / f"{path}.toml"
        file = shipped if not path.exists() and shipped.exists() else path
        try:
            return cls.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        except ValidationError as error:
            faults = [f"  {_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
            raise FileUnreadableError("\n".join([f"{file}: not a mapping", *faults])) from None
        except (OSError, UnicodeError, LookupError, tomllib.TOMLDecodeError) as error:
            raise FileUnreadableError(f"{file}: {error}") from error

    def event_of(self, cells: Json) -> Json:
        """Return the event that a row tells, in the native wire's words.

        Raises TouchpointRejectedError when a cell is not what its column should hold,
        FileUnreadableError when the table has no such column.
        """
        event: Json = deepcopy(self.event)
        identifiers = event.setdefault("identifiers", [])
        assert isinstance(identifiers, list)
        for name, uses in self.columns.items():
            if name not in cells:
                raise FileUnreadableError(
                    f"the mapping names the column {name!r}; the file has {', '.join(cells)}"
                )
            for use in uses if isinstance(uses, list) else [uses]:
                value = _cell(cells[name], use, name)
                if use.per is not None and value is not None:
                    value = _shared(value, cells.get(use.per), use.per)
                if value is None:
                    continue
                if use.identifier is not None:
                    identifiers.append({"type": use.identifier, "value": str(value)})
                else:
                    _put(event, str(use.field).split("."), value)
        return event


def _place(path: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in path) or "file"


def _cell(cell: object, use: Use, column: str) -> object:
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


def _shared(amount: object, units: object, column: str) -> str:
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
        moment = datetime.strptime(str(cell), use.format)  # noqa: DTZ007  its zone follows
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(use.zone))


def _put(event: Json, path: list[str], value: object) -> None:
    """Set a value at a path such as lines.0.quantity, making what lies between."""
    place: object = event
    for part, following in zip(path, [*path[1:], ""], strict=True):
        fresh: object = value if not following else [] if following.isdigit() else {}
        if isinstance(place, dict):
            place[part] = value if not following else place.get(part, fresh)
            place = place[part]
        elif isinstance(place, list) and part.isdigit():
            index = int(part)
            place.extend({} for _ in range(index + 1 - len(place)))
            place[index] = value if not following else place[index]
            place = place[index]
        else:
            raise FileUnreadableError(f"the mapping's field {'.'.join(path)} has no place")
