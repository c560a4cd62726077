"""Columns as we write them: what ClickHouse's own client would write, or refused."""

import math
from decimal import Decimal

import pytest
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.ctypes import RespBuffCls
from clickhouse_connect.driver.insert import InsertContext
from clickhouse_connect.driver.query import QueryContext
from clickhouse_connect.driver.transform import NativeTransform
from hypothesis import given
from hypothesis import strategies as st

from models import places
from projections.load import _CLIENT_REFUSED
from projections.rows.kinds import LABEL, MILLISECONDS, MONEY
from projections.rows.native import block, column
from projections.table import Table
from projections.tables import TABLES

FEATURES = f"Map({LABEL}, Float64)"
KINDS = sorted({kind for table in TABLES for kind in table.sent})
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
LABELS = st.sampled_from(["", "a", "web", "ß"]) | TEXT
LEAVES = {
    "String": TEXT,
    LABEL: LABELS,
    "Float64": st.floats(allow_nan=False) | st.integers(-9, 9),
    "Int64": st.integers(-(2**63), 2**63 - 1),
    "UInt64": st.integers(0, 2**63 - 1),
    "UInt32": st.integers(0, 2**32 - 1),
    "UInt16": st.integers(0, 2**16 - 1),
    "Int16": st.integers(-(2**15), 2**15 - 1),
    "UInt8": st.integers(0, 255) | st.booleans(),
    MILLISECONDS: st.integers(-(2**42), 2**42),
    MONEY: st.decimals(-(10**12), 10**12, places=4) | st.sampled_from(["91000", "0", "-3.5"]),
}


def values_of(kind):
    """Return what a value of that type may be."""
    if kind in LEAVES:
        return LEAVES[kind]
    outer, _, inner = kind[:-1].partition("(")
    if outer == "Nullable":
        return st.none() | values_of(inner)
    if outer == "Array":
        return st.lists(values_of(inner), max_size=4)
    key, _, value = inner.partition(", ")
    return st.dictionaries(values_of(key), values_of(value), max_size=4)


def by_client(kind, values):
    dest = bytearray()
    column_type = get_from_name(kind)
    column_type.write_column(values, dest, InsertContext("t", ["c"], [column_type]))
    return bytes(dest)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != FEATURES])
@given(st.data())
def test_a_column_is_written_as_the_client_writes_it(kind, data):
    values = data.draw(st.lists(values_of(kind), min_size=1, max_size=12))
    assert column(kind, values) == by_client(kind, values)


@pytest.mark.parametrize("different", [255, 256, 257, 65_535, 65_536])
def test_labels_beyond_what_a_byte_counts_are_written_as_the_client_writes_them(different):
    kind = f"Array({LABEL})"
    values = [[str(number) for number in range(different)], ["0", str(different - 1)]]
    assert column(kind, values) == by_client(kind, values)


@given(
    st.lists(
        st.tuples(*[st.floats(allow_nan=False) | st.none()] * len(places.NAMES))
        | values_of(FEATURES)
    )
)
def test_features_by_place_or_by_name_are_read_by_name(values):
    class Source:
        close = staticmethod(lambda: None)
        gen = iter([column(FEATURES, values)])

    source = RespBuffCls(Source())
    said = get_from_name(FEATURES).read_column(source, len(values), QueryContext())
    assert said == [
        value
        if isinstance(value, dict)
        else {
            name: number
            for name, number in zip(places.NAMES, value, strict=True)
            if number is not None
        }
        for value in values
    ]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((kind, "x") for kind in LEAVES if kind not in ("String", LABEL)),
        *((kind, None) for kind in (*LEAVES, f"Array({LABEL})", FEATURES)),
        *((kind, 1) for kind in ("String", LABEL, MONEY, "Array(String)", FEATURES)),
        *(("UInt8", 256), ("UInt16", 65_536), ("UInt32", 2**32), ("Int16", 2**15)),
        *(("UInt8", -1), ("UInt16", -1), ("UInt32", -1), ("UInt64", -1), ("Int16", -(2**15) - 1)),
        *(("Int64", 2**63), ("UInt64", 2**64), ("Int64", 1.5), (MILLISECONDS, math.nan)),
        *((MONEY, Decimal("NaN")), (MONEY, Decimal(10) ** 36), ("String", "\ud800")),
        *((f"Map({LABEL}, String)", {"a": 1}), ("Date", 1)),
    ],
)
def test_what_does_not_fit_a_column_is_refused(kind, value):
    with pytest.raises(_CLIENT_REFUSED):
        column(kind, [value])


def test_a_text_that_comes_again_is_written_again_whatever_stood_between():
    assert column("String", ["a", b"zz", "a", "", "a", "a"]) == b"\x01a\x02zz\x01a\x00\x01a\x01a"


def test_rows_are_sent_as_the_client_sends_them():
    table = Table("t", {"a": "String", "b": LABEL, "c": "Nullable(Float64)"}, "", "")
    # Labels go as text: ClickHouse looks them up the quicker.
    assert table.sent == ("String", "String", "Nullable(Float64)")
    rows = [("x" * 200, f"{number}", None if number % 3 else 0.5) for number in range(300)]
    types = [get_from_name(kind) for kind in table.sent]
    context = InsertContext("`d`.`t`", table.names, types, rows)
    sent = table.insert("d") + block(table.names, table.sent, rows)
    assert sent == b"".join(NativeTransform.build_insert(context))
