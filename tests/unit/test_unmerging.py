"""How groups are parted: by a person, or by a rule; and what is refused."""

from itertools import pairwise

import pytest

from models.errors import Reason, TouchpointRejectedError
from models.events import CustomerAliased, CustomerIdentified
from models.identity import identify
from models.identity_rules import SHIPPED, Limits, Rules
from models.links import (
    Edge,
    Place,
    decode_link,
    encode,
    follow,
    links_of,
    state_merge,
    state_unmerge,
    told,
)
from models.links.forest import MOST_LINKS, REMEMBERED
from models.naming import id_of
from tests.support.histories import event, named

LAPTOP, PHONE, TABLET = "anonymous_id:laptop", "device_id:phone", "device_id:tablet"
ANA, BEN, CAT, DAN = (f"user_id:{name}" for name in ("ana", "ben", "cat", "dan"))
MAIL = "email:ana@x.com"


def seen(*who, kind=None, **fields):
    made = event(*([kind] if kind else []), who=tuple(map(named, who)), **fields)
    return list(links_of(identify(made, "touchpoints/0", 0)))


def identified(*who):
    return seen(*who, kind=CustomerIdentified)


def alias(previous, who, **fields):
    return seen(who, kind=CustomerAliased, previous=(named(previous),), **fields)


def merge(left, right, at=0):
    return [state_merge(named(left), named(right), "eva", "says so", at)]


def part(who, at=0, reason="not hers"):
    return [state_unmerge(id_of(who), "eva", reason, at)]


class World:
    """A forest that commands come to, one after the other."""

    def __init__(self, *commands, rules=SHIPPED):
        self.nodes, self.rules, self.offset = {}, rules, -1
        for some in commands:
            self.take(some)

    def take(self, commands):
        """Follow commands; return what the last one led to."""
        found = None
        for command in commands:
            self.offset += 1
            found = follow(command, self.nodes.get, self.offset, self.rules)
            self.nodes |= found.changes
        return found

    def of(self, text):
        """Return everybody who is one with this one."""
        found = {name for name in NAMES if self.root(id_of(name)) == self.root(id_of(text))}
        return found & {name for name in NAMES if id_of(name) in self.nodes} | {text}

    def root(self, id):
        while id in self.nodes and self.nodes[id].parent:
            id = self.nodes[id].parent
        return id


NAMES = (LAPTOP, PHONE, TABLET, ANA, BEN, CAT, DAN, MAIL)


def test_who_is_taken_out_goes_with_all_that_hangs_on_them():
    world = World(seen(LAPTOP, PHONE), seen(PHONE, ANA), identified(MAIL, ANA))
    found = world.take(part(PHONE))
    assert (world.of(ANA), world.of(PHONE)) == ({ANA, MAIL}, {PHONE, LAPTOP})
    phone, laptop, ana, mail = map(id_of, (PHONE, LAPTOP, ANA, MAIL))
    assert set(found.regroups) == {
        Place(ana, ana, 1), Place(mail, ana, 0), Place(phone, phone, 1), Place(laptop, phone, 0),
    }  # fmt: skip


def test_every_other_link_between_the_two_sides_is_cut_too_and_stays_cut():
    links = seen(PHONE, ANA) + identified(MAIL, ANA) + seen(PHONE, MAIL) + seen(LAPTOP, PHONE)
    world = World(links, seen(LAPTOP, ANA), part(PHONE))
    found = [world.take([one]) for one in links + seen(LAPTOP, ANA)]
    assert [one.refusal and one.refusal.reason for one in found] == [
        "unmerged", None, "unmerged", None, "unmerged",
    ]  # fmt: skip
    assert world.of(ANA) == {ANA, MAIL}


@pytest.mark.parametrize("again", [identified(PHONE, ANA), seen(PHONE, ANA, id="another")])
def test_a_cut_holds_however_the_two_are_seen_again(again):
    world = World(seen(PHONE, ANA), part(PHONE))
    assert world.take(again).refusal.reason == "unmerged"


@pytest.mark.parametrize("said", [merge(PHONE, ANA, at=1), alias(PHONE, ANA, id="again")])
def test_a_person_or_an_alias_joins_again_what_was_parted(said):
    world = World(seen(PHONE, ANA), part(PHONE), said)
    assert world.of(ANA) == {ANA, PHONE}
    assert world.take(seen(PHONE, ANA)).refusal is None


@pytest.mark.parametrize("said", [merge(PHONE, ANA), alias(PHONE, ANA)])
def test_a_statement_that_comes_twice_does_not_undo_the_unmerge_between(said):
    world = World(said, part(PHONE))
    assert world.take(said).refusal.reason == "unmerged"
    world.take(seen(PHONE, MAIL) + identified(MAIL, ANA) + said + part(MAIL) + said)
    assert world.nodes[id_of(PHONE)].links[id_of(ANA)].state == "cut"


def test_a_merge_after_an_unmerge_carries_the_groups_generation():
    world = World(seen(LAPTOP, ANA), seen(PHONE, ANA), part(LAPTOP))
    found = world.take(seen(TABLET, ANA))
    assert (found.merge.winner, found.generation) == (id_of(ANA), 2)


def test_an_unmerge_joins_nobody_whom_a_rule_keeps_apart():
    world = World(seen(PHONE, ANA), seen(PHONE, BEN), part(PHONE))
    assert (world.of(PHONE), world.of(BEN)) == ({PHONE}, {BEN})


@pytest.mark.parametrize(
    ("who", "told_why"),
    [(ANA, "stands for its whole group"), (BEN, "merged with nobody"), (CAT, "merged with nobody")],
)
def test_who_cannot_be_taken_out_is_told(who, told_why):
    world = World(seen(PHONE, ANA), seen(PHONE, CAT))
    with pytest.raises(TouchpointRejectedError, match=told_why) as refused:
        world.take(part(who))
    assert refused.value.reason is Reason.REFUSED


def test_an_unmerge_that_comes_twice_is_one():
    world = World(seen(PHONE, ANA), part(PHONE), seen(PHONE, BEN))
    before = dict(world.nodes)
    assert world.take(part(PHONE)).regroups == ()
    assert world.nodes == before
    assert world.take(part(PHONE, reason="nor his")).regroups


def test_a_node_that_two_users_share_by_an_alias_goes_back_to_one_of_them():
    world = World(seen(LAPTOP, ANA), seen(PHONE, BEN), alias(ANA, BEN))
    assert world.of(BEN) == {ANA, BEN, LAPTOP, PHONE}
    world.take(part(ANA))
    assert (world.of(ANA), world.of(BEN)) == ({ANA, LAPTOP}, {BEN, PHONE})


@pytest.mark.parametrize(("gone", "stays"), [(ANA, BEN), (BEN, ANA)])
def test_who_stood_for_the_group_goes_on_as_an_alias_said(gone, stays):
    world = World(alias(gone, stays), seen(PHONE, gone), part(PHONE))
    assert world.root(id_of(gone)) == id_of(stays)


def test_the_places_are_events_whose_ids_follow_from_the_command():
    world = World(seen(PHONE, ANA))
    (command,) = part(PHONE)
    found = world.take([command])
    events = list(told(command, found, "identity-links/0", 1))
    assert events == list(told(command, found, "identity-links/0", 1))
    assert {one.customer_id for one in events} == {id_of(PHONE), id_of(ANA)}
    assert {(one.generation, one.origin_offset, one.by) for one in events} == {(1, 1, "eva")}
    assert len({one.event_id for one in events}) == 2


def test_commands_are_read_back_as_they_were_written():
    for command in (*merge(PHONE, ANA), *part(PHONE), *seen(PHONE, ANA)):
        assert decode_link(encode(command)) == command


def test_the_same_command_stated_twice_has_one_id_and_another_person_another():
    (first,), (again,), (later,) = part(PHONE), part(PHONE), part(PHONE, at=1)
    assert first.unmerge_id == again.unmerge_id != later.unmerge_id
    (first,), (later,) = merge(PHONE, ANA), merge(PHONE, ANA, at=1)
    assert first.link_id != later.link_id


def test_a_device_of_many_people_is_taken_out_of_its_customer_and_links_no_more():
    world = World(seen(LAPTOP, TABLET), seen(TABLET, ANA), seen(PHONE, ANA))
    assert world.take(seen(TABLET, BEN)).refusal.reason == "two_users"
    found = world.take(seen(TABLET, CAT))
    assert found.refusal.reason == "shared"
    assert (found.unmerge.by, found.unmerge.reason) == ("rule", "shared device")
    assert (world.of(ANA), world.of(TABLET)) == ({ANA, PHONE}, {TABLET})
    assert {place.member for place in found.regroups} == set(
        map(id_of, (ANA, PHONE, TABLET, LAPTOP))
    )
    for links in (
        seen(TABLET, ANA),
        seen(LAPTOP, TABLET),
        merge(TABLET, ANA),
        identified(TABLET, DAN),
    ):
        again = world.take(links)
        assert (again.merge, again.changes, again.refusal.reason) == (None, {}, "shared")


def test_who_was_seen_with_a_customer_otherwise_stays_when_the_shared_device_goes():
    world = World(seen(LAPTOP, TABLET), seen(TABLET, ANA), seen(LAPTOP, ANA))
    world.take(seen(TABLET, BEN) + seen(TABLET, CAT))
    assert world.of(ANA) == {ANA, LAPTOP}
    assert world.nodes[id_of(LAPTOP)].links[id_of(ANA)].state == "holds"


def test_two_logins_of_one_person_are_one():
    world = World(seen(TABLET, ANA), alias(ANA, BEN), seen(TABLET, BEN), seen(TABLET, CAT))
    assert not world.nodes[id_of(TABLET)].shared
    assert world.take(seen(TABLET, DAN)).refusal.reason == "shared"


@pytest.mark.parametrize("after", [0, 4])
def test_how_many_people_make_a_device_shared_is_a_rule(after):
    world = World(rules=Rules(shared_after=after))
    world.take(seen(TABLET, ANA) + seen(TABLET, BEN) + seen(TABLET, CAT))
    assert world.of(ANA) == {ANA, TABLET}
    assert world.nodes[id_of(TABLET)].shared is False
    assert world.take(seen(TABLET, DAN)).refusal.reason == ("shared" if after else "two_users")


@pytest.mark.parametrize("said", [merge, alias])
def test_a_statement_overrides_who_is_unique_but_no_limit(said):
    assert World(said(BEN, ANA)).of(ANA) == {ANA, BEN}
    tight = World(said(BEN, ANA), rules=Rules(limits=Limits(user_id=1)))
    assert tight.of(ANA) == {ANA}
    assert tight.nodes[id_of(ANA)].refusals == {"too_many": 1}


def test_each_type_has_its_own_limit():
    mails = [identified(f"email:{n}@x.com", ANA) for n in range(6)]
    world = World(*mails)
    assert world.nodes[id_of(ANA)].members == {"user_id": 1, "email": 5}
    assert world.nodes[id_of(ANA)].refusals == {"too_many": 1}
    assert world.take(seen(PHONE, ANA)).merge is not None


def test_other_types_may_be_unique():
    rules = Rules(unique=frozenset({"user_id", "loyalty_card"}))
    one, two = "loyalty_card:1", "loyalty_card:2"
    world = World(identified(MAIL, one), rules=rules)
    assert world.take(identified(MAIL, two)).refusal.reason == "two_users"


def test_both_customers_know_a_refusal_and_only_the_first_of_its_kind_is_news():
    world = World(seen(PHONE, ANA), seen(LAPTOP, BEN))
    first, again = world.take(seen(PHONE, BEN)), world.take(seen(PHONE, BEN))
    other = world.take(seen(LAPTOP, ANA))
    assert (first.news, again.news, other.news) == (True, False, False)
    assert again.changes == {}
    ana, ben = (world.nodes[id_of(who)] for who in (ANA, BEN))
    assert ana.refusals == ben.refusals == {"two_users": 2}
    assert [one.other for one in ana.refused] == [id_of(BEN)] * 2
    assert [one.other for one in ben.refused] == [id_of(ANA)] * 2


def test_refusals_are_counted_for_ever_and_the_newest_are_kept():
    free = Rules(shared_after=0)
    world = World(seen(PHONE, ANA), *(seen(PHONE, f"user_id:u{n}") for n in range(50)), rules=free)
    assert world.nodes[id_of(ANA)].refusals == {"two_users": 50}
    assert len(world.nodes[id_of(ANA)].refused) == REMEMBERED


def test_a_node_forgets_what_it_knows_twice_before_what_was_cut_or_what_holds():
    free = Rules(unique=frozenset(), shared_after=0)
    world = World(seen(PHONE, ANA), part(PHONE), seen(PHONE, BEN), rules=free)
    for n in range(MOST_LINKS + 10):
        world.take(merge(BEN, f"user_id:u{n}") + seen(PHONE, f"user_id:u{n}"))
    links = world.nodes[id_of(PHONE)].links
    assert len(links) == MOST_LINKS
    assert (links[id_of(ANA)].state, links[id_of(BEN)].state) == ("cut", "holds")


def test_a_node_on_which_too_much_hangs_takes_no_more():
    free = Rules(unique=frozenset(), shared_after=0)
    world = World(*(seen(PHONE, f"user_id:u{n}") for n in range(MOST_LINKS)), rules=free)
    assert world.take(seen(PHONE, ANA)).refusal.reason == "too_large"
    assert world.nodes[id_of(PHONE)].links[id_of("user_id:u0")] == Edge("observed", at_ms=NOON_MS)
    world.take(identified(MAIL, "user_id:u1"))
    assert world.take(seen(PHONE, MAIL)).changes == {}


def test_the_way_to_the_root_is_shortened_by_who_climbs_it():
    users = [f"user_id:u{n}" for n in range(6)]
    chain = [alias(one, after) for one, after in pairwise(users)]
    world = World(*chain, seen(PHONE, users[0]))
    root = id_of(users[-1])
    assert [world.nodes[id_of(one)].parent for one in users[:-1]] == [root] * 5


NOON_MS = seen(PHONE, ANA)[0].at_ms
