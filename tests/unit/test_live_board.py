"""The newest alerts of the board are those that a look at all of them gives."""

from hypothesis import given, settings
from hypothesis import strategies as st

from models.customer import Episode
from projections import live_board
from projections.live_board import Board
from projections.live_glance import Glance

episodes = st.dictionaries(
    st.sampled_from(["churn_risk", "renewal"]),
    st.builds(
        Episode,
        number=st.just(1),
        status=st.sampled_from(["open", "open", "closed"]),
        opened_ms=st.integers(1, 9),
    ),
)
changes = st.tuples(st.sampled_from("abcdefghijkl"), st.none() | episodes)


@settings(max_examples=150)
@given(st.lists(st.tuples(changes, st.sampled_from([0, 0, 0, 2, 3])), min_size=15, max_size=60))
def test_the_newest_alerts_are_those_that_began_last_of_all(steps):
    kept, live_board.KEPT = live_board.KEPT, 3
    try:
        board, now = Board(), {}
        for (customer, of), limit in steps:
            before = now.pop(customer, None)
            if of is not None:
                now[customer] = Glance(customer, episodes=of)
            board.replace(before, now.get(customer))
            begun = sorted(
                (episode.opened_ms, one.customer_id, rule)
                for one in now.values()
                for rule, episode in one.episodes.items()
                if episode.status == "open"
            )
            told = board.newest_alerts(limit)
            assert [(o.opened_ms, o.customer_id, o.rule) for o in told] == begun[::-1][:limit]
            assert len(board._newest._kept) <= 4
    finally:
        live_board.KEPT = kept
