"""How partitions are shared among workers: evenly, all of them, and with no needless move."""

from hypothesis import given
from hypothesis import strategies as st

from streams.lane.share import share, share_copies

MEMBERS = st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=5, unique=True)


@st.composite
def groups(draw):
    """Return a width and what each member says it has and keeps copies of, truly or not."""
    width, members = draw(st.integers(1, 12)), draw(MEMBERS)
    some = st.sets(st.integers(0, width + 2))
    held = {member: draw(some) for member in members}
    copies = {member: draw(some) for member in members}
    return width, held, copies


@st.composite
def settled(draw):
    """Return the shares of a group that has settled, and who is in the group now."""
    width, before = draw(st.integers(1, 24)), draw(MEMBERS)
    shares = share(width, dict.fromkeys(before, ()), {}, {})
    return width, shares, draw(MEMBERS)


@given(groups())
def test_every_partition_has_one_owner_and_shares_are_even(group):
    width, held, copies = group
    shares = share(width, held, copies, {})
    assert sorted(number for some in shares.values() for number in some) == list(range(width))
    sizes = [len(some) for some in shares.values()]
    assert max(sizes) - min(sizes) <= 1
    assert set(shares) == set(held)


@given(settled())
def test_only_what_an_even_share_takes_is_moved(settled):
    width, before, members = settled
    held = {member: before.get(member, set()) for member in members}
    after = share(width, held, {}, {})
    kept = sum(len(after[member] & held[member]) for member in members)
    least, more = divmod(width, len(members))
    sizes = sorted((len(some) for some in held.values()), reverse=True)
    assert kept == sum(min(size, least + (at < more)) for at, size in enumerate(sizes))


@given(settled())
def test_nothing_moves_while_the_same_members_stay(settled):
    width, before, _ = settled
    assert share(width, before, {}, {}) == before


@given(groups(), st.integers(0, 3))
def test_copies_are_where_the_owner_is_not_and_as_many_as_there_can_be(group, count):
    width, held, copies = group
    owned = share(width, held, copies, {})
    kept = share_copies(owned, {m: set(held[m]) | copies[m] for m in held}, count)
    assert all(kept[member].isdisjoint(owned[member]) for member in owned)
    for number in range(width):
        assert sum(number in some for some in kept.values()) == min(count, len(owned) - 1)


def test_who_leaves_is_followed_by_who_has_a_copy():
    owned = share(8, {"a": (), "b": (), "c": ()}, {}, {})
    copies = share_copies(owned, {}, 1)
    left = {member: owned[member] for member in ("a", "b")}
    after = share(8, left, copies, {})
    moved = {number: member for member in left for number in after[member] - left[member]}
    assert set(moved) == owned["c"]
    assert all(number in copies[member] for number, member in moved.items())


def test_who_joins_gets_what_it_has_copies_of():
    after = share(4, {"a": {0, 1, 2, 3}, "b": ()}, {"b": {0, 3}}, {})
    assert after == {"a": {1, 2}, "b": {0, 3}}


def test_what_two_say_they_have_stays_with_one_of_them():
    after = share(4, {"a": {0, 1, 2, 3}, "b": {2, 3}}, {}, {})
    assert after == {"a": {0, 1}, "b": {2, 3}}


def test_what_does_not_divide_goes_to_who_has_least_otherwise():
    assert share(1, {"a": (), "b": ()}, {}, {"a": 8, "b": 4}) == {"a": set(), "b": {0}}
    assert share(1, {"a": {0}, "b": ()}, {}, {"a": 8, "b": 4}) == {"a": {0}, "b": set()}
