"""What search keeps of names: sorted, exact, and never sorted all at once."""

from hypothesis import given
from hypothesis import strategies as st

from projections import live_search
from projections.live import Live, Record
from projections.live_search import PrefixIndex
from tests.support.customers import ANA, NOW_MS, customer, record, rich

texts = st.text("ab가\0", min_size=1, max_size=4)
pairs = st.tuples(texts, st.sampled_from(["c_1", "c_2", "c_3"]))
steps = st.lists(st.tuples(st.sampled_from(["add", "add", "discard"]), pairs), max_size=200)


@given(steps, texts, st.integers(1, 4))
def test_it_finds_what_a_look_at_all_terms_finds(steps, prefix, limit):
    longest, live_search.LONGEST = live_search.LONGEST, 4
    try:
        index, kept = PrefixIndex(), set()
        for step, pair in steps:
            getattr(index, step)(*pair)
            getattr(kept, step)(pair)
        starting = sorted(pair for pair in kept if pair[0].startswith(prefix))
        assert set(index.find(prefix, 99)) == {id for _, id in starting}
        assert index.find(prefix, limit) == index.find(prefix, 99)[:limit]
        assert len(index) == len(kept)
    finally:
        live_search.LONGEST = longest


def test_no_list_of_it_grows_long():
    index = PrefixIndex()
    for number in range(5_000):
        index.add(f"{number * 7919 % 5_000:04}", "c_1")
    assert max(map(len, index._lists)) <= live_search.LONGEST
    assert list(map(str, index._starts)) == sorted(index._starts)
    for number in range(5_000):
        index.discard(f"{number:04}", "c_1")
    assert index._lists == [[]]


def test_names_that_a_customer_has_no_more_are_not_kept():
    live = Live(lambda: NOW_MS, epoch="test")
    ana = rich()
    live.apply([record(ana)])
    named = len(live.names)
    merged = customer(ANA, offset=8, merged_into="c_" + "0" * 20, profile=ana.profile)
    live.apply([record(merged)])
    assert (named > 5, len(live.names)) == (True, 0)
    live.apply([record(rich(offset=9))])
    assert len(live.names) == named
    assert live.search("lopez", 5) == [ana.customer_id]
    live.apply([Record(ana.customer_id.encode(), None, 0)])
    assert len(live.names) == 0
