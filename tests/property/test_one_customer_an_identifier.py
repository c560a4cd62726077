"""No identifier ever names two customers, whatever links come in whatever order."""

from hypothesis import given, settings
from hypothesis import strategies as st

from models.identity import rank_of
from models.links import Link, resolve

KINDS = ("user_id", "email", "device_id", "anonymous_id")
LAWFUL = settings(max_examples=100, deadline=None)

nodes = st.tuples(st.sampled_from(KINDS), st.integers(0, 4))


def link(left, right, kind="observed", number=0):
    return Link(
        link_id=f"{kind}:{left}:{right}", kind=kind, left=str(left), left_type=left[0],
        right=str(right), right_type=right[0], event_id=str(number), at_ms=0, received_ms=0,
    )  # fmt: skip


links = st.lists(
    st.builds(link, nodes, nodes, st.sampled_from(["observed", "identified", "aliased"])),
    max_size=40,
)
others = st.tuples(st.sampled_from(KINDS[1:]), st.integers(0, 4))
of_one_user = st.lists(st.builds(link, others, others | st.just(("user_id", 0))), max_size=40)


def grow(given):
    """Return the forest, and the merges as the fold follows them."""
    forest, merged = {}, {}
    for one in given:
        found = resolve(one, forest.get)
        forest |= found.changes
        if found.merge is not None:
            assert found.merge.loser not in merged, "only a root is merged, so once"
            merged[found.merge.loser] = found.merge.winner
    return forest, merged


def end_of(id, up):
    seen = [id]
    while up(seen[-1]):
        assert up(seen[-1]) not in seen, "a ring"
        seen.append(up(seen[-1]))
    return seen[-1]


@LAWFUL
@given(links)
def test_every_identifier_ends_at_one_customer_and_the_fold_follows_it_there(given):
    forest, merged = grow(given)
    for id in forest:
        root = end_of(id, lambda one: forest[one].parent)
        assert end_of(id, merged.get) == root
        assert forest[root].rank <= forest[id].rank
    for root in (id for id in forest if not forest[id].parent):
        members = [id for id in forest if end_of(id, lambda one: forest[one].parent) == root]
        assert forest[root].size == len(members)


@LAWFUL
@given(links)
def test_two_users_are_one_only_by_an_alias(given):
    stated = [one for one in given if one.kind != "aliased"]
    forest, _ = grow(stated)
    users = [id for id in forest if forest[id].rank == rank_of("user_id")]
    assert all(not forest[user].parent for user in users)


@LAWFUL
@given(links)
def test_a_link_that_comes_again_changes_nothing(given):
    forest, _ = grow(given)
    again, merged = grow([*given, *given])
    roots = {id: end_of(id, lambda one: forest[one].parent) for id in forest}
    # A refusal may be lifted by what an alias joined since; what was joined stays joined.
    for a in roots:
        for b in roots:
            if roots[a] == roots[b]:
                assert end_of(a, merged.get) == end_of(b, merged.get)
    assert set(again) == set(forest)


@LAWFUL
@given(of_one_user, st.randoms(use_true_random=False))
def test_links_of_one_user_give_the_same_customer_in_any_order(given, chance):
    first, _ = grow(given)
    second, _ = grow(chance.sample(given, len(given)))
    assert set(first) == set(second)
    for id in first:
        assert end_of(id, lambda at: first[at].parent) == end_of(id, lambda at: second[at].parent)
