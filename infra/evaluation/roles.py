"""Which column is what: as the user says, or by its name and what it holds.

Whatever is not said outright is told in the report, so that nobody has to guess.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from infra.errors import UserError
from infra.evaluation.columns import Column, Contents, Kind
from infra.evaluation.moments import Clock
from models.online.encoding import COLUMNS

_TIMES = (
    "time", "at", "timestamp", "ts", "date", "datetime", "occurred_at", "event_time", "day",
    "created_at",
)  # fmt: skip
_KEYS = (
    "key", "customer", "customer_id", "customerid", "user_id", "userid", "user", "client_id",
    "account_id", "subscriber_id", "member_id", "household", "hid",
)  # fmt: skip
_ROWS = ("", "index", "row", "row_id", "rownames", "unnamed: 0", "id")  # what numbers rows
_LABEL_TIMES = ("label_time", "label_at", "label_date", "known_at", "matured_at")
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user said; None: find it."""

    time: str | None = None
    key: str | None = None
    label: str | None = None
    label_time: str | None = None
    delay: float | None = None  # days; of plain times in their own unit
    features: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    positive: str | None = None
    time_format: str | None = None
    choice: str | None = None
    arm: str | None = None
    reward: str | None = None
    propensity: str | None = None
    eligible: str | None = None
    control: str | None = None  # an arm, no column
    shuffle: bool = False  # rows without times, in an order of their own

    @property
    def columns(self) -> list[str]:
        """Every column that is named."""
        named = (
            self.time, self.key, self.label, self.label_time, self.choice, self.arm, self.reward,
            self.propensity, self.eligible, *self.features, *self.drop,
        )  # fmt: skip
        return [name for name in named if name is not None]


@dataclass(slots=True)
class Roles:
    """What each column is, besides what is predicted. `notes`: what was found, not said."""

    asked: Asked
    time: str | None = None
    clock: Clock = field(default_factory=lambda: Clock(plain=True))
    key: str | None = None
    label_time: str | None = None
    features: dict[str, Kind] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def delay(self) -> float | None:
        """After how long a label is known, in the clock's unit; None: right after its row."""
        return None if self.asked.delay is None else self.asked.delay * self.clock.day


def check(found: Contents, asked: Asked) -> None:
    """Refuse a file without rows, and names that it does not have. Raises UserError."""
    if not found.columns:
        raise UserError("the file has no row that can be read", "\n".join(found.faults[:3]))
    for name in asked.columns:
        if name not in found.columns:
            raise UserError(f"the file has no column {name!r}", f"It has {listed(found.columns)}.")


def roles(found: Contents, asked: Asked, outcome: Collection[str], notes: list[str]) -> Roles:
    """Say which column is what; `outcome`: those that hold what came of a row.

    Raises UserError naming what is wrong and what there is.
    """
    columns = {name: one for name, one in found.columns.items() if name not in outcome}
    role = Roles(asked, notes=notes)
    _time(columns, role)
    role.key = asked.key or named(columns, _KEYS, "customer", notes, {role.time})
    # By its name alone only beside times: it would be compared with the rows' numbers.
    if asked.label_time is not None or (asked.delay is None and role.time is not None):
        role.label_time = asked.label_time or named(columns, _LABEL_TIMES, "label's time", notes)
    _features(columns, role)
    return role


def named(
    columns: dict[str, Column],
    names: Iterable[str],
    what: str,
    notes: list[str],
    taken: Collection[str | None] = (),
) -> str | None:
    """Return the column that has one of these names, the first name first, and note it."""
    by_name = {name.casefold(): name for name in columns if name not in taken}
    for name in names:
        if name in by_name:
            notes.append(f"{what}: the column {by_name[name]!r}, by its name")
            return by_name[name]
    return None


def listed(names: Collection[str]) -> str:
    """Return names as a text, the first SHOWN of them."""
    told = ", ".join(repr(name) for name in list(names)[:SHOWN])
    return told + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _time(columns: dict[str, Column], role: Roles) -> None:
    name, written = role.asked.time, role.asked.time_format
    dated = {one: column for one, column in columns.items() if column.dated}
    if name is None:
        name = named(dated, _TIMES, "time", role.notes)
    if name is None:
        role.notes.append(
            "no column of times: the rows were shuffled, the same way each time"
            if role.asked.shuffle
            else "no column of times: the rows count as in time order (or --shuffle)"
        )
        read = [one for one, column in dated.items() if column.kind != "number"]
        if read:
            role.notes.append(
                f"read as times, if they are the rows' own say --time: {listed(read)}"
            )
        return
    column = columns[name]
    plain = not column.dated and column.kind == "number" and written is None
    if not (column.dated or plain or written):
        raise UserError(
            f"column {name!r} does not read as times: {listed(column.values)}",
            "ISO 8601, epoch seconds to nanoseconds and plain numbers are read; "
            "say others with --time-format, as strptime has it (%d/%m/%Y)",
        )
    if plain:
        role.notes.append(f"times in {name!r} are plain numbers: --delay counts in their unit")
    if written is None and column.written is not None:
        written = column.written
        role.notes.append(f"times in {name!r} are read as {written}; or say --time-format")
    role.time, role.clock = name, Clock(written, plain)


def _features(columns: dict[str, Column], role: Roles) -> None:
    asked = role.asked
    taken = {role.time, role.key, role.label_time, *asked.drop}
    for name, column in columns.items():
        if name in taken or (asked.features and name not in asked.features):
            continue
        why = _useless(column, meant=name in asked.features)
        if why:
            role.left_out[name] = why
        else:
            role.features[name] = "text" if column.kind == "free text" else column.kind
    dates = [name for name, kind in role.features.items() if kind == "date"]
    if dates:
        since = "days before their row" if role.time and not role.clock.plain else "days"
        role.notes.append(f"dates count as {since}: {listed(dates)}")
    if not role.features:
        raise UserError("no column is left to predict from", f"The file has {listed(columns)}.")
    if len(role.features) > COLUMNS:
        role.notes.append(f"of {len(role.features)} columns the first {COLUMNS} are learnt from")
    role.notes += [f"left out: {name!r} {why}" for name, why in role.left_out.items()]


def _useless(column: Column, *, meant: bool) -> str:
    """Return why a column cannot tell anything; `meant`: the user named it as a feature."""
    if column.kind in ("empty", "constant"):
        return f"is {column.kind}"
    if meant:
        return ""
    if column.name.casefold() in _ROWS or column.names_rows:
        return "numbers the rows"
    return "is free text: nearly every value is another one" if column.kind == "free text" else ""
