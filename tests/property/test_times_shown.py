"""A time is shown as ISO 8601 in UTC has it, to the millisecond, whatever year it is of."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from projections.serve.written import instant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999  # of the years 1 and 9999


@given(st.integers(FIRST_MS, LAST_MS))
@example(FIRST_MS)
@example(-1)
@example(0)
@example(LAST_MS)
def test_a_time_is_shown_as_the_calendar_has_it(ms):
    shown = instant(ms)
    assert len(shown) == len("2026-11-22T09:30:00.000Z")
    assert datetime.fromisoformat(shown) == EPOCH + timedelta(milliseconds=ms)


def test_no_time_is_none():
    assert instant(None) is None


@pytest.mark.parametrize("ms", [FIRST_MS - 1, LAST_MS + 1])
def test_what_no_calendar_has_is_an_error(ms):
    with pytest.raises(OverflowError):
        instant(ms)
