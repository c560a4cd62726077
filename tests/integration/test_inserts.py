"""Rows on their way to ClickHouse: what it keeps is what was sent, packed or not."""

import pytest

from models.customer import Customer, encode
from models.topics import PROFILES
from projections import client
from tests.support.loading import load

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("near", [True, False])
def test_rows_arrive_from_near_and_packed_from_afar(settings, ask, monkeypatch, near):
    if not near:
        monkeypatch.setattr(client, "_HERE", frozenset())
    ids = [f"c_{number}" for number in range(5_000)]
    load(settings, PROFILES, [(id.encode(), encode(Customer(customer_id=id))) for id in ids])
    assert ask("SELECT count(), uniqExact(customer_id) FROM profiles") == [(5_000, 5_000)]
