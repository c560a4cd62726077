"""A timeline of two is that of all their moments: the newest twenty, each once, in one order."""

from hypothesis import given
from hypothesis import strategies as st

from models.profile import Moment, timeline
from models.profile.timeline import join, newest

# Few times, ids and words, so that many moments share some of them, and some are the same.
told = st.builds(
    Moment,
    st.integers(-3, 12),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["page_viewed", "order_placed"]),
    st.sampled_from(["", "web"]),
    st.sampled_from(["", "/x"]),
)
histories = st.lists(told, max_size=40)


@given(histories, histories)
def test_a_union_is_the_newest_of_both(some, others):
    union = join(timeline(newest(some)), timeline(newest(others)))
    assert union == timeline(newest([*some, *others]))
