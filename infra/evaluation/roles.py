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
LABEL_TIMES = (
    "label_time", "label_at", "label_date", "label_ts", "label_timestamp", "known_at", "matured_at",
    "reward_time", "reward_at", "reward_date", "rewarded_at", "reward_ts", "outcome_time",
)  # fmt: skip
SHOWN = 12
CHURN = ("label", "positive")  # options of one kind alone
OFFERS = ("choice", "arm", "reward", "propensity", "eligible", "control")


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
    label_clock: Clock = field(default_factory=lambda: Clock(plain=True))
    features: dict[str, Kind] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def delay(self) -> float | None:
        """After how long a label is known, in the clock's unit; None: right after its row."""
        return None if self.asked.delay is None else self.asked.delay * self.clock.day


def check(found: Contents, asked: Asked, others: Collection[str] = ()) -> None:
    """Refuse a file without rows, names that it does not have, and options of the other kind.

    `others`: those options. Raises UserError.
    """
    for option in others:
        if getattr(asked, option) is not None:
            kind = "offers" if option in OFFERS else "churn"
            raise UserError(
                f"--{option} is for --kind {kind}", f"Say --kind {kind}, or leave it out."
            )
    if not found.columns:
        raise UserError("the file has no row that can be read", "\n".join(found.faults[:3]))
    for name in asked.columns:
        if name not in found.columns:
            raise UserError(f"the file has no column {name!r}", f"It has {listed(found.columns)}.")
    if len(found.columns) == 1:
        raise UserError(
            f"the file has one column only, {next(iter(found.columns))!r}",
            "Cells are parted by a comma, a semicolon, a tab, | or spaces.",
        )


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
        role.label_time = asked.label_time or named(columns, LABEL_TIMES, "label's time", notes)
        role.label_clock = _clock_of(columns.get(role.label_time or ""), role.clock)
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
    if name is None and any(one.casefold() in LABEL_TIMES for one in columns):
        # Times that count steps, which by its name alone might be anything: what is known when.
        numbers = {one: column for one, column in columns.items() if column.kind == "number"}
        name = named(numbers, _TIMES, "time", role.notes)
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


def _clock_of(column: Column | None, rows: Clock) -> Clock:
    """Return what reads a label's times: written as the rows' are, or in a way of their own."""
    if column is None or rows.plain or (not column.dated and rows.written is not None):
        return rows
    return Clock(column.written)


def _features(columns: dict[str, Column], role: Roles) -> None:
    asked = role.asked
    taken = {role.time, role.key, role.label_time, *asked.drop}
    for name, column in columns.items():
        if name in taken or (asked.features and name not in asked.features):
            continue
        meant = name in asked.features
        why = _useless(column, meant=meant)
        if not meant and name.casefold() in LABEL_TIMES:
            why = "says when the label was known, by its name"
        if why:
            role.left_out[name] = why
        else:
            role.features[name] = "text" if column.kind == "free text" else column.kind
    dates = [name for name, kind in role.features.items() if kind == "date"]
    if dates:
        since = "days before their row" if role.time and not role.clock.plain else "days"
        role.notes.append(f"dates count as {since}: {listed(dates)}")
    if not role.features:
        there = "; ".join(_reasons(role.left_out)) or listed(columns)
        raise UserError("no column is left to predict from", f"The file has {there}.")
    if len(role.features) > COLUMNS:
        role.notes.append(f"of {len(role.features)} columns the first {COLUMNS} are learnt from")
    role.notes += [f"left out: {told}" for told in _reasons(role.left_out)]


def _reasons(left_out: dict[str, str]) -> list[str]:
    """Return which columns are left out for each reason, of many the first ones."""
    names: dict[str, list[str]] = {}
    for name, why in left_out.items():
        names.setdefault(why, []).append(name)
    return [
        f"{listed(alike)} {why}" if len(alike) == 1 else f"{listed(alike)}: each {why}"
        for why, alike in names.items()
    ]


def _useless(column: Column, *, meant: bool) -> str:
    """Return why a column cannot tell anything; `meant`: the user named it as a feature."""
    if column.kind in ("empty", "constant"):
        return f"is {column.kind}"
    if meant:
        return ""
    if column.name.casefold() in _ROWS or column.names_rows:
        return "numbers the rows"
    return "is free text: nearly every value is another one" if column.kind == "free text" else ""
