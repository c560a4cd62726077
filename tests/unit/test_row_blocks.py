"""A batch is sent as blocks of some records each: what it says does not hang on where they end."""

from __future__ import annotations

import msgspec
import pytest

from models.customer import Customer, encode
from models.records import Score
from models.topics import PROFILES, SCORES
from projections import blocks as made
from projections import dead_rows, profiles, scores
from projections.rows.native import block
from projections.tables import project, standing
from tests.support.loading import Record


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(made, "RECORDS", 3)


def _profile(offset, number, version):
    customer = Customer(customer_id=f"c_{number}", version=version)
    return Record(offset, customer.customer_id.encode(), encode(customer))


def test_of_a_key_the_newest_stands_wherever_the_blocks_end():
    records = [_profile(at, at % 5, version=at) for at in range(12)]
    [(table, found)] = made.blocks(PROFILES, records).items()
    rows = project(PROFILES, standing(PROFILES, records))[table]
    assert table is profiles.TABLE
    assert found.rows == len(rows) == 5
    assert found.written == [block(table.names, table.sent, part) for part in (rows[:3], rows[3:])]


def test_each_table_has_its_own_blocks_and_counts():
    score = Score(
        score_id="s", customer_id="c", model="churn", model_version=1, at_ms=1, cause="e",
        probability=0.5, band="low", horizon_days=30,
    )  # fmt: skip
    good = msgspec.json.encode(score)
    records = [Record(at, b"c", b"{" if at in (1, 6) else good) for at in range(8)]
    found = made.blocks(SCORES, records)
    assert {table.name: (of.rows, len(of.written)) for table, of in found.items()} == {
        "scores": (6, 3),
        "dead_rows": (2, 2),
    }
    assert list(found) == [scores.TABLE, dead_rows.TABLE]  # as tables are written


def test_a_value_that_fits_no_column_is_refused_before_anything_is_sent():
    with pytest.raises(ValueError, match="below zero"):
        made.blocks(PROFILES, [_profile(0, 0, version=-1)])
