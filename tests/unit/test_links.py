"""Which links an event carries, and what the rules make of them."""

import pytest

from models import links
from models.events import CustomerAliased, CustomerIdentified
from models.identity import identify
from models.identity_rules import SHIPPED, Limits, Rules
from models.links import Merge, links_of, resolve
from models.naming import id_of
from tests.support.histories import event, named

ANA, BEN = "user_id:ana", "user_id:ben"
VISITOR, DEVICE, MAIL = "anonymous_id:a-1", "device_id:d-1", "email:ana@x.com"


def links_in(*who, kind=None, **fields):
    made = event(*([kind] if kind else []), who=tuple(map(named, who)), **fields)
    return list(links_of(identify(made, "touchpoints/0", 0)))


def follow(given, forest=None, rules=SHIPPED):
    """Resolve links in turn; return the forest and what each one led to."""
    forest = forest if forest is not None else {}
    led = []
    for number, link in enumerate(given):
        led.append(resolve(link, forest.get, rules, number))
        forest |= led[-1].changes
    return forest, led


def seen_together(*who):
    return links_in(*who)


def alias(previous, who):
    return links_in(who, kind=CustomerAliased, previous=(named(previous),))


def test_a_device_or_visitor_seen_with_a_stronger_name_is_linked_to_it():
    made = links_in(VISITOR, DEVICE, ANA)
    assert {(link.left, link.right, link.kind) for link in made} == {
        (id_of(VISITOR), id_of(ANA), "observed"),
        (id_of(DEVICE), id_of(ANA), "observed"),
    }


@pytest.mark.parametrize("who", [(MAIL, ANA), (VISITOR, "anonymous_id:a-2"), (ANA,)])
def test_other_names_seen_together_are_not_linked(who):
    assert links_in(*who) == []


def test_an_identify_links_all_that_it_names():
    made = links_in(MAIL, VISITOR, ANA, kind=CustomerIdentified)
    assert {link.left for link in made} == {id_of(MAIL), id_of(VISITOR)}
    assert {(link.right, link.kind) for link in made} == {(id_of(ANA), "identified")}


def test_the_same_link_has_the_same_id_whichever_event_carries_it():
    one, two = links_in(VISITOR, ANA), links_in(VISITOR, ANA, id="another")
    assert one[0].link_id == two[0].link_id


def test_a_known_user_wins_over_a_visitor():
    _, led = follow(seen_together(VISITOR, ANA))
    assert led[0].merge == Merge(loser=id_of(VISITOR), winner=id_of(ANA))


def test_a_link_that_says_nothing_new_changes_nothing():
    forest, _ = follow(seen_together(VISITOR, ANA))
    _, led = follow(seen_together(VISITOR, ANA), forest)
    assert led[0] == links.Resolution({})


def test_two_users_of_one_device_stay_two_and_the_refusal_is_remembered_once():
    forest, led = follow(seen_together(DEVICE, ANA) + seen_together(DEVICE, BEN) * 2)
    assert led[1].merge is None
    assert led[1].refusal.reason == "two_users"
    assert led[2].changes == {}
    assert [refused.other for refused in forest[id_of(ANA)].refused] == [id_of(BEN)]


def test_an_alias_makes_two_users_one_and_says_who_goes_on():
    _, led = follow(seen_together(VISITOR, ANA) + alias(ANA, BEN))
    assert led[1].merge == Merge(loser=id_of(ANA), winner=id_of(BEN))


def test_who_is_in_a_merged_tree_is_found_from_its_leaf():
    forest, led = follow(
        seen_together(VISITOR, DEVICE) + seen_together(DEVICE, ANA) + alias(ANA, BEN)
        + seen_together(VISITOR, BEN)
    )  # fmt: skip
    assert [one.merge is not None for one in led] == [True, True, True, False]
    assert (forest[id_of(BEN)].size, forest[id_of(BEN)].parent) == (4, "")


def test_a_cluster_too_large_to_be_a_person_grows_no_further():
    small = Rules(limits=Limits(total=2))
    _, led = follow(
        seen_together("anonymous_id:a-2", ANA) + seen_together(VISITOR, ANA), rules=small
    )
    assert led[0].merge is not None  # as many as there may be
    assert led[1].refusal.reason == "too_large"


def test_a_merge_is_an_event_at_the_loser_whose_id_follows_from_the_link():
    (link,) = seen_together(VISITOR, ANA)
    _, led = follow([link])
    made = links.merged(link, led[0].merge, "identity-links/0", 12)
    assert made.customer_id == made.loser == id_of(VISITOR)
    assert made.winner == id_of(ANA)
    assert (made.origin, made.origin_offset) == ("identity-links/0", 12)
    assert made == links.merged(link, led[0].merge, "identity-links/0", 12)


def test_two_merges_by_one_link_are_two_events():
    (link,) = seen_together(VISITOR, ANA)
    _, led = follow([link])
    events = [links.merged(link, led[0].merge, "identity-links/0", offset) for offset in (12, 90)]
    assert len({one.event_id for one in events}) == 2


def test_a_link_is_read_back_as_it_was_written():
    (link,) = seen_together(VISITOR, ANA)
    assert links.decode_link(links.encode(link)) == link
