"""Rules that change: what is stated so that live groups become what the new rules give."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.errors import UserError
from infra.rebuild.statements import BY, statements
from infra.verify.forest import Forest
from models.events import CustomerIdentified, Identifier
from models.identity import customer_id_of
from models.identity_rules import Rules
from models.links import Unmerge, encode, links_of
from tests.support.histories import event

OPEN = Rules(shared_after=0, unique=frozenset())  # whoever is seen together is one
STRICT = Rules()
NOW_MS = 1_790_000_000_000


def named(kind, value):
    return Identifier(type=kind, value=value)


def links(pairs):
    for number, (browser, user) in enumerate(pairs):
        who = (named("user_id", f"u{user}"), named("anonymous_id", f"b{browser}"))
        yield from links_of(event(CustomerIdentified, id=f"e{number}", who=who))


def grown(rules, pairs):
    forest = Forest(rules)
    for offset, link in enumerate(links(pairs)):
        forest.take(offset, encode(link))
    return forest


def groups(forest):
    """Whoever is in a group of several, and its root."""
    roots = {id: forest.root(id) for id in forest.identities}
    return {id: root for id, root in roots.items() if list(roots.values()).count(root) > 1}


def test_two_users_whom_old_rules_joined_are_parted():
    pairs = [(1, 1), (1, 2), (2, 2)]
    live, wanted = grown(OPEN, pairs), grown(STRICT, pairs)
    one, two = (customer_id_of(named("user_id", f"u{n}")) for n in (1, 2))
    assert live.root(one) == live.root(two)
    assert wanted.root(one) != wanted.root(two)
    said = statements(relit(live), wanted, NOW_MS)
    assert any(isinstance(command, Unmerge) for command in said)
    assert {command.by for command in said} == {BY}


def relit(live):
    """The live groups in the hands of today's rules, as the resolver has them."""
    forest = Forest(STRICT)
    forest.identities, forest.applied = dict(live.identities), live.applied
    return forest


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=12))
def test_what_is_stated_makes_the_groups_those_of_the_rules(pairs):
    live, wanted = relit(grown(OPEN, pairs)), grown(STRICT, pairs)
    try:
        said = statements(live, wanted, NOW_MS)
    except UserError:
        pytest.fail("the rules do not let them")
    for number, command in enumerate(said):
        live.follow(command, live.applied + 1 + number)
    assert groups(live) == groups(wanted)
    assert statements(live, wanted, NOW_MS) == []
    again = wanted.copy()  # and who folds the log anew, these statements with it, finds the same
    for number, command in enumerate(said):
        again.take(again.applied + 1 + number, encode(command))
    assert groups(again) == groups(wanted)
