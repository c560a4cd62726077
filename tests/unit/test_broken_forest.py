"""A forest of identities that is broken: whoever walks it is told, and the links make it anew."""

from itertools import pairwise

import pytest
from msgspec.structs import replace

from infra.errors import UserError
from infra.rebuild.identity import Rebuilt, grouped_otherwise, regroup
from infra.settings import Settings
from infra.verify.forest import Forest
from models.events import CustomerIdentified, Identifier
from models.identity import customer_id_of, identify
from models.identity_rules import LARGEST, SHIPPED, Limits, Rules
from models.links import encode, follow, links_of, state_merge, state_unmerge
from models.links.stand import Stand
from models.naming import id_of
from tests.support.histories import event, named

ANA, MAIL, PHONE, BROWSER = "user_id:ana", "email:ana@x.com", "phone:+821012345678", "device_id:d"
TOLD = "c360 rebuild identity --swap"


def grown(rules=SHIPPED):
    who = tuple(map(named, (ANA, MAIL, PHONE, BROWSER)))
    forest = Forest(rules)
    for offset, link in enumerate(
        links_of(identify(event(CustomerIdentified, who=who), "touchpoints/0", 0))
    ):
        forest.take(offset, encode(link))
    return forest


def spoilt(who, **changed):
    """The forest with one node that is not as it was."""
    forest = grown()
    forest.identities[id_of(who)] = replace(forest.identities[id_of(who)], **changed)
    return forest


def without(who):
    forest = grown()
    del forest.identities[id_of(who)]
    return forest


@pytest.mark.parametrize(
    "forest",
    [
        spoilt(ANA, parent=id_of(MAIL)),  # hangs on itself
        spoilt(MAIL, next=id_of(MAIL)),  # a ring that never comes back to the root
        without(ANA),
    ],
    ids=["way up", "ring", "no root"],
)
def test_a_command_on_a_broken_forest_ends_and_says_what_makes_it_anew(forest):
    command = state_unmerge(id_of(PHONE), "eva", "not hers", 0)
    with pytest.raises(LookupError, match=TOLD):
        follow(command, forest.identities.get, 10)


def test_a_link_to_a_way_without_an_end_is_told_too():
    forest = spoilt(ANA, parent=id_of(MAIL))
    link = state_merge(named(PHONE), named("user_id:ben"), "eva", "one", 0)
    with pytest.raises(LookupError, match=TOLD):
        follow(link, forest.identities.get, 10)


def test_a_group_as_large_as_may_be_is_walked_whole():
    rules = Rules(shared_after=0, limits=Limits(user_id=LARGEST, total=LARGEST))
    forest = Forest(rules)
    names = [Identifier(type="user_id", value=f"u{number}") for number in range(LARGEST)]
    for number, (one, other) in enumerate(pairwise(names)):
        forest.take(number, encode(state_merge(one, other, "eva", "one", number)))
    stand = Stand(forest.identities.get)
    roots = {stand.root(customer_id_of(one)) for one in names}
    assert len(roots) == 1
    assert len(list(stand.ring(roots.pop()))) == LARGEST


@pytest.mark.parametrize(
    "live",
    [
        spoilt(ANA, parent=id_of(MAIL)),
        spoilt(MAIL, parent="c_nobody"),
        without(ANA),
        without(MAIL),
    ],
    ids=["way up", "hangs on nobody", "no root", "no member"],
)
def test_where_the_live_state_is_broken_it_does_not_say_that_anybody_is_grouped_otherwise(live):
    assert grouped_otherwise(grown(), live) == {}


def test_who_stands_alone_in_a_whole_state_is_grouped_otherwise():
    live = Forest(SHIPPED)
    assert grouped_otherwise(grown(), live).keys() == grown().identities.keys() - {id_of(ANA)}


def test_nothing_is_stated_of_a_broken_state():
    live = spoilt(ANA, parent=id_of(MAIL))
    with pytest.raises(UserError, match=r"broken|no root"):
        regroup(Settings(), Rebuilt(4, 3, {}, {}, live, grown()))
