"""No identifier ever names two customers, whatever commands come in whatever order."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import TouchpointRejectedError
from models.identity import rank_of
from models.identity_rules import LARGEST, SHIPPED, Limits, Rules
from models.links import Link, decode_identity, encode, follow, state_unmerge
from models.links.forest import MOST_LINKS, REMEMBERED

KINDS = ("user_id", "email", "device_id", "anonymous_id")
LAWFUL = settings(max_examples=100, deadline=None)
# Nothing that depends on who came first: no limit is reached, and nobody is unique.
FREE = Rules(
    unique=frozenset(), shared_after=0, limits=Limits(**dict.fromkeys(SHIPPED.most, LARGEST))
)
TIGHT = Rules(limits=Limits(email=2, device_id=2, anonymous_id=3, total=5), shared_after=2)

nodes = st.tuples(st.sampled_from(KINDS), st.integers(0, 4))


def link(left, right, kind="observed", number=0):
    return Link(
        link_id=f"{kind}:{left}:{right}", kind=kind, left=str(left), left_type=left[0],
        right=str(right), right_type=right[0], event_id=str(number), at_ms=0, received_ms=0,
    )  # fmt: skip


def part(node, number):
    return state_unmerge(str(node), "eva", f"not hers, {number}", 0)


kinds = ("observed", "identified", "aliased", "stated")
seen = st.builds(link, nodes, nodes, st.sampled_from(kinds[:2]))
links = st.lists(st.builds(link, nodes, nodes, st.sampled_from(kinds)), max_size=40)
commands = st.lists(
    st.builds(link, nodes, nodes, st.sampled_from(kinds))
    | st.builds(part, nodes, st.integers(0, 10_000)),
    max_size=40,
)
rules = st.sampled_from([SHIPPED, FREE, TIGHT])
others = st.tuples(st.sampled_from(KINDS[1:]), st.integers(0, 4))
of_one_user = st.lists(st.builds(link, others, others | st.just(("user_id", 0))), max_size=40)


class Grown:
    """A forest, and where the folds believe that they belong, told by the events alone."""

    def __init__(self, given=(), rules=FREE):
        self.forest, self.pointers, self.generations, self.rules = {}, {}, {}, rules
        self.refused = 0
        for offset, command in enumerate(given):
            self.follow(command, offset)

    def follow(self, command, offset):
        try:
            found = follow(command, self.forest.get, offset, self.rules)
        except TouchpointRejectedError:
            self.refused += 1
            return None
        self.forest |= {id: decode_identity(encode(one)) for id, one in found.changes.items()}
        if found.merge is not None:
            loser, winner = found.merge
            assert self.pointers.get(loser) is None, "only a root is merged"
            self.pointers[loser] = winner
            assert found.generation == self.generations.get(winner, -1)
        for place in found.regroups:
            self.pointers[place.member] = None if place.root == place.member else place.root
            self.generations[place.member] = offset
        return found

    def root(self, id):
        return end_of(id, lambda one: self.forest[one].parent)

    def groups(self):
        """Return the groups of those who are linked at all, as sets."""
        parts = {}
        for id in self.forest:
            parts.setdefault(self.root(id), set()).add(id)
        return {root: frozenset(members) for root, members in parts.items()}

    def ring(self, root):
        members, at = [root], self.forest[root].next
        while at and at != root:
            assert len(members) <= len(self.forest), "the ring does not close"
            members.append(at)
            at = self.forest[at].next
        return members

    def edges(self, *states):
        return [
            (id, other)
            for id, node in self.forest.items()
            for other, edge in node.links.items()
            if edge.state in states
        ]


def end_of(id, up):
    seen = [id]
    while up(seen[-1]):
        assert up(seen[-1]) not in seen, "a ring of parents"
        seen.append(up(seen[-1]))
    return seen[-1]


def joined(edges, nodes):
    """Return the groups that edges make of nodes: what resolving comes to, said simply."""
    group = {one: {one} for one in nodes}
    for one, other in edges:
        if group[one] is not group[other]:
            group[one] |= group[other]
            for member in group[other]:
                group[member] = group[one]
    return {frozenset(members) for members in group.values()}


@LAWFUL
@given(commands, rules)
def test_every_identifier_ends_at_one_customer_and_the_fold_follows_it_there(given, rules):
    grown = Grown(given, rules)
    for id in grown.forest:
        assert end_of(id, grown.pointers.get) == grown.root(id)


@LAWFUL
@given(commands, rules)
def test_a_group_is_one_tree_one_ring_and_one_count(given, rules):
    grown = Grown(given, rules)
    groups = grown.groups()
    for root, members in groups.items():
        assert sorted(grown.ring(root)) == sorted(members)
        assert grown.forest[root].members == Counter(grown.forest[one].type for one in members)
    holding = grown.edges("holds")
    assert joined(holding, grown.forest) == set(groups.values())
    assert len(holding) == len(grown.forest) - len(groups), "a tree has no ring"
    for one, other in grown.edges("holds", "known"):
        assert grown.root(one) == grown.root(other)


@LAWFUL
@given(commands, rules)
def test_limits_hold_and_what_a_node_keeps_is_bounded(given, rules):
    grown = Grown(given, rules)
    for root in grown.groups():
        node = grown.forest[root]
        assert node.size <= rules.limits.total
        assert all(number <= rules.most[kind] for kind, number in node.members.items())
    for node in grown.forest.values():
        assert len(node.links) <= MOST_LINKS
        assert len(node.refused) <= REMEMBERED
        assert len(node.logins) <= max(rules.shared_after, 0)


@LAWFUL
@given(links)
def test_the_strongest_name_is_the_root(given):
    grown = Grown([one for one in given if one.kind not in ("aliased", "stated")])
    for root, members in grown.groups().items():
        assert root == min(members, key=lambda one: (rank_of(grown.forest[one].type), one))


@LAWFUL
@given(commands)
def test_two_users_are_one_only_by_a_statement(given):
    stated = [one for one in given if getattr(one, "kind", "") not in ("aliased", "stated")]
    grown = Grown(stated, SHIPPED)
    for members in grown.groups().values():
        assert sum(grown.forest[one].type == "user_id" for one in members) <= 1


@LAWFUL
@given(commands, rules)
def test_a_statement_overrides_all_but_the_limits(given, rules):
    grown = Grown(given, rules)
    for one, other in pairwise(sorted(grown.forest)):
        if grown.root(one) == grown.root(other):
            continue
        a, b = (grown.forest[grown.root(id)].members for id in (one, other))
        stated = link((grown.forest[one].type, one), (grown.forest[other].type, other), "stated")
        found = grown.follow(_of(stated, one, other), 10_000)
        both = Counter(a) + Counter(b)
        over = both.total() > rules.limits.total or any(
            both[kind] > rules.most[kind] for kind in a.keys() & b.keys()
        )
        shared = any(grown.forest[id].shared for id in (one, other))
        assert (found.merge is None) == (over or shared)
        return


def _of(stated, left, right):
    return Link(
        link_id=stated.link_id, kind="stated", left=left, left_type=stated.left_type,
        right=right, right_type=stated.right_type, event_id="s", at_ms=0, received_ms=0,
    )  # fmt: skip


@LAWFUL
@given(links)
def test_a_link_that_comes_again_changes_nothing(given):
    grown = Grown(given, FREE)
    again = dict(grown.forest)
    for offset, one in enumerate(given, 1_000):
        assert grown.follow(one, offset).merge is None
    assert {id: one.parent or id for id, one in again.items()}.keys() == grown.forest.keys()
    before = Grown()
    before.forest = again
    assert before.groups() == grown.groups()


@LAWFUL
@given(st.lists(seen, max_size=40), st.randoms(use_true_random=False))
def test_links_give_the_same_customers_in_any_order(given, chance):
    first = Grown(given, FREE)
    second = Grown(chance.sample(given, len(given)), FREE)
    assert first.groups() == second.groups()
    met = {end for one in given if one.left != one.right for end in (one.left, one.right)}
    pairs = [(one.left, one.right) for one in given if one.left != one.right]
    assert set(first.groups().values()) == joined(pairs, met)


@LAWFUL
@given(of_one_user, st.randoms(use_true_random=False))
def test_links_of_one_user_give_the_same_customer_in_any_order(given, chance):
    assert Grown(given, SHIPPED).groups() == (
        Grown(chance.sample(given, len(given)), SHIPPED).groups()
    )


@LAWFUL
@given(st.lists(seen, min_size=1, max_size=40), st.data())
def test_an_unmerge_leaves_the_groups_that_there_would_be_without_what_it_cut(given, data):
    grown = Grown(given, FREE)
    below = sorted(id for id, node in grown.forest.items() if node.parent)
    if not below:
        return
    member = data.draw(st.sampled_from(below))
    root, group = grown.root(member), grown.groups()[grown.root(member)]
    found = grown.follow(state_unmerge(member, "eva", "not hers", 0), len(given))
    assert grown.root(member) != root
    assert {place.member for place in found.regroups} == group, "both sides are told"
    for place in found.regroups:
        assert place.root == grown.root(place.member)
        size = grown.forest[place.root].size
        assert place.others == (size - 1 if place.root == place.member else 0)
    cut = {frozenset(pair) for pair in grown.edges("cut")}
    assert cut
    pairs = [(one.left, one.right) for one in given if one.left != one.right]
    left = [pair for pair in pairs if frozenset(pair) not in cut]
    assert set(grown.groups().values()) == joined(left, grown.forest)
    for offset, one in enumerate(given, 1_000):  # all that was seen is seen again
        assert grown.follow(one, offset).merge is None
