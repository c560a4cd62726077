"""A deployment whose tables are there, and a way to ask them."""

import pytest

from projections.client import connect
from projections.migrate import migrate


@pytest.fixture
def settings(stack_settings):
    """Settings on the session's Kafka and ClickHouse, topics and tables made."""
    migrate(stack_settings)
    return stack_settings


@pytest.fixture
def ask(settings):
    """Return a function that gives a query's rows."""
    with connect(settings) as client:
        yield lambda sql: client.query(sql).result_rows
