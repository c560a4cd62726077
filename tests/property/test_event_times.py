"""An event's times in milliseconds: whole ones, those before 1970 too."""

from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from models.events.clock import EPOCH
from tests.support.histories import event

spans = st.timedeltas(timedelta(days=-25_000), timedelta(days=80_000))
times = st.builds(EPOCH.__add__, spans)  # from 1901 to 2189


@given(times, times)
@example(EPOCH - timedelta(microseconds=1), EPOCH + timedelta(microseconds=999))
def test_milliseconds_are_whole_and_count_from_1970_both_ways(occurred, received):
    one = event().model_copy(update={"occurred_at": occurred, "received_at": received})
    millisecond = timedelta(milliseconds=1)
    assert one.occurred_ms == (occurred - EPOCH) // millisecond
    assert one.received_ms == (received - EPOCH) // millisecond
