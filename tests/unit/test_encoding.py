"""Rows of other people's data, as features."""

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.online.encoding import COLUMNS, FIRST, GAPS, RATED, VALUES, Encoder, read
from models.online.scaling import LIMIT


def fed(values, column="a", labels=None):
    """An encoder that has seen the values, and what it made of the last one."""
    encoder, features = Encoder(), {}
    for number, value in enumerate(values):
        features = encoder.encode_one({column: value})
        if labels is not None:
            encoder.learn_one({column: value}, labels[number])
    return encoder, features


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *((True, 1.0), (3, 3.0), ("3.5", 3.5), (" -2e3 ", -2000.0), ("yes", "yes")),
        *((None, None), ("", None), (" NA ", None), ("nan", None), (math.nan, None)),
        *((math.inf, None), ("inf", None), (10**400, None), ("x" * 999, "x" * 200)),
    ],
)
def test_a_field_is_a_number_a_text_or_nothing(given, expected):
    assert read(given) == expected


def test_a_number_is_told_by_its_distance_from_the_usual():
    encoder, _ = fed([100.0 + 10 * n for n in range(FIRST)])
    below, middle, above = (encoder.encode_one({"a": v})["a"] for v in (150, 200, 250))
    assert middle == 0.0
    assert above == -below > 0.3


def test_it_says_nothing_of_a_number_before_it_knows_what_is_usual():
    assert fed([5.0] * (FIRST - 1))[1] == {}
    assert fed([5.0] * 200)[1] == {}
    assert fed([5.0] * 200 + [7.0])[1] == {"a": pytest.approx(1.0)}


def test_where_most_are_one_number_it_says_who_is_not():
    spent = [0.0] * (FIRST - 5) + [3.0, 9.0, 1.0, 40.0, 2.0]
    encoder, _ = fed(spent)
    assert encoder.encode_one({"a": 0.0}) == {"a": 0.0, "a!": 0.0}
    assert encoder.encode_one({"a": 2.0})["a!"] == 1.0
    # Of a column of two numbers the number itself says it.
    assert "a!" not in fed([0.0, 0.0, 0.0, 1.0] * FIRST)[1]


def test_a_long_tail_is_drawn_in_and_order_kept():
    rng = random.Random(2)
    encoder, _ = fed([math.exp(rng.gauss(0, 2.5)) for _ in range(FIRST)])
    assert encoder.columns["a"].skewed
    told = [encoder.encode_one({"a": value})["a"] for value in (0.0, 1.0, 1e2, 1e4, 1e9, 1e300)]
    assert told == sorted(told)
    assert len(set(told)) == len(told)


def test_a_texts_values_have_a_feature_each_and_those_that_come_late_share_one():
    values = [f"value {n}" for n in range(3 * VALUES)]
    encoder, _ = fed([*values, *values], labels=[0.0] * len(values) * 2)
    features = encoder.encode_one({"a": values[0]})
    assert features.pop("a~") == pytest.approx(0.0, abs=0.1)
    assert features == {f"a={value}": float(value == values[0]) for value in values[:VALUES]}
    late = encoder.encode_one({"a": values[-1]})
    assert sum(late.values()) == pytest.approx(0.0, abs=0.1)


def test_a_text_of_many_values_is_told_by_what_came_of_each():
    values = [f"value {n}" for n in range(20)] * 50
    encoder, _ = fed(values, labels=[float(value == "value 7") for value in values])
    rates = {v: encoder.encode_one({"a": v})["a~"] for v in ("value 7", "value 8", "never seen")}
    assert rates["value 7"] > 2
    assert rates["value 8"] < -0.5
    assert rates["never seen"] == pytest.approx(0.0, abs=0.1)


def test_a_label_is_known_only_once_it_is_learnt():
    rows = [{"a": f"value {n % 20}"} for n in range(400)]
    told, untold = Encoder(), Encoder()
    for row in rows:
        assert told.encode_one(row) == untold.encode_one(row)
    for row in rows:
        told.learn_one(row, float(row["a"] == "value 3"))
    assert told.encode_one(rows[3])["a~"] > 1
    assert "a~" not in untold.encode_one(rows[3])


def test_an_empty_field_shows_in_columns_that_are_empty_now_and_then():
    encoder, features = fed([1.0, *[None] * GAPS])
    assert features == {}
    assert encoder.encode_one({"a": ""}) == {"a?": 1.0}
    assert encoder.encode_one({"a": 1.0})["a?"] == 0.0


fields = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    st.sampled_from(["1e400", "-inf", "yes", "no", "0.1"]),
)
rows = st.lists(st.dictionaries(st.sampled_from("abc"), fields), max_size=60)


@given(rows, st.integers(0, 60))
def test_features_are_bounded_numbers_and_a_snapshot_goes_on_bit_for_bit(rows, cut):
    whole, half = Encoder(), Encoder()
    for number, row in enumerate(rows):
        if number == cut:
            half = Encoder.from_state(json.loads(json.dumps(half.to_state())))
        before = repr(row)
        features = whole.encode_one(row)
        assert half.encode_one(row) == features
        assert repr(row) == before
        assert all(type(v) is float and abs(v) <= 10 * LIMIT for v in features.values())
        whole.learn_one(row, float(number % 3 == 0))
        half.learn_one(row, float(number % 3 == 0))
    assert json.dumps(half.to_state()) == json.dumps(whole.to_state())


def test_endless_new_columns_and_values_do_not_make_it_grow_for_ever():
    encoder = Encoder()
    for number in range(2 * COLUMNS):
        encoder.encode_one({f"column {number}": 1.0})
    assert len(encoder.columns) == COLUMNS
    encoder, _ = fed([f"value {n}" for n in range(3 * RATED)], labels=[0.0] * 3 * RATED)
    assert len(encoder.columns["a"].rates) <= RATED + 1
    assert len(encoder.columns["a"].values) == VALUES
