"""A row as one text, the same in Python and in ClickHouse, so that both can hash it.

Rows are compared by what they say, column by column, in the types of their table.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from functools import cache
from hashlib import md5
from typing import Any, Final

from projections.rows.kinds import MILLISECONDS, MONEY
from projections.rows.score_part import named
from projections.table import Row, Table

STRETCH: Final = 4096  # offsets whose rows are hashed together
Text = Callable[[Any], str]
_COLUMN, _ITEM, _PAIR = "\x1d", "\x1f", "\x1e"  # between columns, items, and a key and its value
_NULL: Final = "\x00"
_MONEY: Final = Context(prec=50)
_FOUR: Final = Decimal("0.0001")


def _string(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _money(value: Any) -> str:
    amount = _MONEY.quantize(Decimal(str(value)), _FOUR)
    return format(amount or abs(amount), "f")  # no zero is negative in ClickHouse


def _float(value: Any) -> str:
    return str(struct.unpack("<Q", struct.pack("<d", value))[0])


def _whole(value: Any) -> str:
    return str(int(value))


# Of each simple type: in Python, and in ClickHouse.
_SIMPLE: Final[dict[str, tuple[Text, str]]] = {
    "String": (_string, "toString({0})"),
    MILLISECONDS: (_whole, "toString(toUnixTimestamp64Milli({0}))"),
    MONEY: (_money, "toDecimalString({0}, 4)"),
    "Float64": (_float, "toString(reinterpretAsUInt64({0}))"),
    **{
        f"{sign}Int{bits}": (_whole, "toString({0})")
        for sign in ("", "U")
        for bits in (8, 16, 32, 64)
    },
}


@cache
def text_of(kind: str) -> Text:
    """Return what writes a value of a ClickHouse type. Raises KeyError on a type nobody uses."""
    outer, within = _taken_apart(kind)
    if outer == "LowCardinality":
        return text_of(within[0])
    if outer == "Nullable":
        plain = text_of(within[0])
        return lambda value: _NULL if value is None else plain(value)
    if outer == "Array":
        item = text_of(within[0])
        return lambda value: _ITEM.join([item(one) for one in value])
    if outer == "Map":
        key, of = text_of(within[0]), text_of(within[1])
        return lambda value: _ITEM.join(
            sorted([f"{key(name)}{_PAIR}{of(one)}" for name, one in named(value).items()])
        )
    return _SIMPLE[kind][0]


@cache
def sql_of(kind: str, of: str) -> str:
    """Return the SQL that writes what `text_of` writes, of the expression `of`."""
    outer, within = _taken_apart(kind)
    if outer == "LowCardinality":
        return sql_of(within[0], of)
    if outer == "Nullable":
        return f"if(isNull({of}), char(0), {sql_of(within[0], f'assumeNotNull({of})')})"
    if outer == "Array":
        return f"arrayStringConcat(arrayMap(v -> {sql_of(within[0], 'v')}, {of}), char(31))"
    if outer == "Map":
        pair = f"concat({sql_of(within[0], 'k')}, char(30), {sql_of(within[1], 'v')})"
        pairs = f"arrayMap((k, v) -> {pair}, mapKeys({of}), mapValues({of}))"
        return f"arrayStringConcat(arraySort({pairs}), char(31))"
    return _SIMPLE[kind][1].format(of)


def _taken_apart(kind: str) -> tuple[str, list[str]]:
    """Return the outer of a composed type, and what is within: Map(String, String)."""
    outer, bracket, rest = kind.partition("(")
    if not bracket or kind in _SIMPLE:
        return kind, []
    inner = rest[:-1]
    if outer == "Map":
        first, _, second = inner.partition(", ")
        return outer, [first, second]
    return outer, [inner]


class Written:
    """How the rows of one table are written and hashed, whole and by their key."""

    def __init__(self, table: Table) -> None:
        self.table = table
        names = list(table.columns)
        self._texts = [text_of(kind) for kind in table.columns.values()]
        key = [names.index(name) for name in table.order_by.split(", ")]
        self._key = [(place, self._texts[place]) for place in key]
        self.partition = names.index("log_partition")
        self.offset = names.index("log_offset")
        self.deleted = names.index("is_deleted") if "is_deleted" in table.engine else None
        quoted = [f"`{name}`" for name in names]
        self._sql = [
            sql_of(kind, of) for kind, of in zip(table.columns.values(), quoted, strict=True)
        ]
        self.columns_sql = f"[{', '.join(self._sql)}]"
        self.row_sql = _hash_sql(self._sql)
        self.key_sql = _hash_sql([self._sql[place] for place in key])

    def texts(self, row: Row) -> list[str]:
        """Write each column."""
        return [text(value) for text, value in zip(self._texts, row, strict=True)]

    def hash_row(self, row: Row) -> int:
        """Hash all that a row says: `row_sql` gives the same."""
        return _hash(self.texts(row))

    def hash_key(self, row: Row) -> int:
        """Hash what names a row among its table's: `key_sql` gives the same."""
        return _hash([text(row[place]) for place, text in self._key])


def _hash(texts: Sequence[str]) -> int:
    said = _COLUMN.join(texts).encode("utf-8", "surrogateescape")
    return int.from_bytes(md5(said, usedforsecurity=False).digest()[:8], "little")


def _hash_sql(texts: Sequence[str]) -> str:
    joined = f"arrayStringConcat([{', '.join(texts)}], char(29))"
    return f"reinterpretAsUInt64(substring(MD5({joined}), 1, 8))"
