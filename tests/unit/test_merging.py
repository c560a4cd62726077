"""What merges and unmerges make of a customer, one rule at a time."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from models import seen
from models.alerts import RULE, raised_by
from models.catalogue import Catalogue
from models.customer import EARLY, TAKEN, Awaited, Customer, Episode, Pending, Regroup, decode
from models.events import (
    CustomerMerged,
    CustomerRegrouped,
    EpisodesReturned,
    Identifier,
    MessageSent,
    OrderPlaced,
    PageViewed,
    encode_event,
    made,
)
from models.identity import customer_id_of, identify
from models.judge import Judge
from models.profile import Profile
from models.react import Position, react
from models.records import NO_FEATURES
from models.regroup import part, refolded
from models.replay import replay
from models.rhythm import DAY_MS
from models.timers import fired
from tests.support.histories import ANA, NOON, event

JUDGE = Judge.untrained()
WARY = Judge.untrained(Catalogue.model_validate({"risk": {"min_visits": 1}}))
TABLET = Identifier(type="anonymous_id", value="a-1")
ANA_ID, TABLET_ID = customer_id_of(ANA), customer_id_of(TABLET)
NOON_MS = event().occurred_ms


def at(offset, partition=2):
    return Position("events", partition, offset)


def touch(who=ANA, id="e1", kind=PageViewed, hours=0, origin_offset=0, **fields):
    time = NOON + timedelta(hours=hours)
    one = event(kind, at=time, received_at=time, id=id, who=(who,), **fields)
    return identify(one, "touchpoints/1", origin_offset)


def sent_on(one, to=ANA_ID, generation=-1, offset=0):
    """The event as another customer's fold forwards it."""
    onward = {"customer_id": to, "origin": "events/5", "origin_offset": offset}
    return one.model_copy(update=onward | {"generation": generation})


def after(customer, *events, judge=JUDGE):
    """React to events one after another, Ana in partition 2; return the last reaction."""
    partition = 2 if customer.customer_id == ANA_ID else 6
    for offset, one in enumerate(events, customer.offset + 1):
        reaction = react(customer, one, at(offset, partition), judge)
        customer = reaction.customer
    return reaction


def told(kind, customer_id, offset, **fields):
    return made(
        kind, event_id=f"{kind.__name__}:{offset}", occurred_at=NOON, received_at=NOON,
        customer_id=customer_id, origin="identity-links/0", origin_offset=offset, **fields,
    )  # fmt: skip


def merged(loser, winner, offset=0, generation=-1):
    fields = {"winner": winner, "loser": loser, "link_id": "l", "generation": generation}
    return told(CustomerMerged, loser, offset, **fields)


def regrouped(member, root, generation=9, others=0):
    fields = {"root": root, "generation": generation, "others": others, "unmerge_id": "u"}
    return told(CustomerRegrouped, member, generation, **fields, by="ana", reason="a mistake")


def returned(owner, episode, to=None, generation=9, offset=0):
    state = f'{{"{RULE}":{{"number":{episode.number},"status":"{episode.status}","opened_ms":1}}}}'
    return made(
        EpisodesReturned, event_id="r", occurred_at=NOON, received_at=NOON, owner=owner,
        customer_id=to or owner, origin="events/7", origin_offset=offset, generation=generation,
        state=state,
    )  # fmt: skip


def part_of(customer, *events):
    """The event that hands a customer what its own events give."""
    until = customer.regroup.until
    log = [(at(offset), one) for offset, one in enumerate(events)]
    asked = regrouped(customer.customer_id, ANA_ID, customer.generation)
    return refolded(asked, until, part(customer.customer_id, log))


ONE = touch()
ANA_ONCE = after(Customer(customer_id=ANA_ID), ONE).customer
OPEN = Episode(number=1, status="open", opened_ms=NOON_MS)


@pytest.fixture
def both():
    """Ana with her tablet's events in hers."""
    tablet = after(Customer(customer_id=TABLET_ID), touch(TABLET, "t1"))
    given = after(tablet.customer, merged(TABLET_ID, ANA_ID)).events[0]
    return after(ANA_ONCE, given).customer


def test_an_unmerge_forgets_what_was_gathered_and_keeps_positions(both):
    parted = after(both, regrouped(ANA_ID, ANA_ID)).customer
    assert parted.profile == Profile()
    assert (parted.generation, parted.regroup) == (9, Regroup(both.offset + 1, 0))
    assert (parted.pending, parted.risk, parted.timers, parted.absorbed) == ([], None, {}, [])
    assert parted.version == both.version + 1
    assert parted.applied == both.applied | {"identity-links/0": 9}
    assert not after(parted, ONE).changed, "repeated by a crash upstream"
    again = ONE.model_copy(update={"origin_offset": 7})
    assert after(parted, again).customer.profile == Profile(), "sent again by a client"


def test_an_incomplete_customer_folds_and_is_not_judged(both):
    parted = after(both, regrouped(ANA_ID, ANA_ID)).customer
    reaction = after(parted, touch(id="e2", hours=1, origin_offset=1))
    assert reaction.customer.profile.events == 1
    assert (reaction.scores, reaction.decisions, reaction.customer.timers) == ([], [], {})
    late = fired(ANA_ID, NOON_MS, NOON_MS + 40 * DAY_MS)
    assert after(reaction.customer, late).customer.clock_ms == reaction.customer.clock_ms


def test_a_customer_is_judged_once_its_own_part_is_in(both):
    parted = after(both, regrouped(ANA_ID, ANA_ID), touch(id="e2", hours=1, origin_offset=1))
    own = part_of(parted.customer, ONE)
    whole = after(parted.customer, own, judge=WARY)
    assert whole.customer.profile.events == 2
    assert whole.customer.regroup is None
    assert len(whole.scores) == 1
    assert whole.customer.timers
    assert whole.alerts == [], "an unmerge opens no episode"
    assert after(whole.customer, touch(id="e3", hours=2, origin_offset=2), judge=WARY).alerts
    again = after(whole.customer, own)
    assert (again.customer.profile, again.scores) == (whole.customer.profile, [])


def test_who_was_one_of_many_knows_its_own_newest_events_again(both):
    crowd = [sent_on(touch(TABLET, f"t{n}"), offset=n) for n in range(2, seen.WINDOW + 9)]
    parted = after(both, *crowd, regrouped(ANA_ID, ANA_ID, generation=999)).customer
    whole = after(parted, part_of(parted, ONE)).customer
    again = ONE.model_copy(update={"origin_offset": 7})  # sent again by a client
    assert after(whole, again).customer.profile.events == 1


def test_a_part_of_an_older_regrouping_is_passed_over(both):
    first = after(both, regrouped(ANA_ID, ANA_ID)).customer
    old = part_of(first, ONE)
    second = after(first, regrouped(ANA_ID, ANA_ID, generation=12)).customer
    assert after(second, old).customer.profile == Profile()


def test_a_regrouping_older_than_one_known_is_passed_over(both):
    newer = after(both, sent_on(touch(TABLET, "t2"), generation=12)).customer
    told = after(newer, regrouped(ANA_ID, TABLET_ID)).customer
    assert (told.merged_into, told.generation, told.regroup) == (None, 12, Regroup(EARLY, 0))


def test_a_member_sends_its_part_on_and_what_comes_after_it(both):
    member = after(Customer(customer_id=TABLET_ID), touch(TABLET, "t1")).customer
    member = after(member, merged(TABLET_ID, "c_other"), regrouped(TABLET_ID, ANA_ID)).customer
    assert (member.merged_into, member.towards) == (ANA_ID, 9)
    (onward,) = after(member, touch(TABLET, "t2", origin_offset=1)).events
    assert (onward.customer_id, onward.generation) == (ANA_ID, 9)
    reaction = after(member, part_of(member, touch(TABLET, "t1")))
    (given,) = reaction.events
    assert (given.customer_id, given.generation, given.part) == (ANA_ID, 9, True)
    assert decode(given.state).profile.events == 1
    assert reaction.customer.regroup is None
    assert after(reaction.customer, part_of(member, touch(TABLET, "t1"))).events == []


def test_a_root_is_whole_when_its_own_part_and_all_others_are_in(both):
    parted = after(both, regrouped(ANA_ID, ANA_ID, others=1)).customer
    own = after(parted, part_of(parted, ONE)).customer
    assert own.regroup == Regroup(TAKEN, 1)
    member = Customer(customer_id=TABLET_ID, offset=5)
    member = after(member, regrouped(TABLET_ID, ANA_ID)).customer
    (given,) = after(member, part_of(member, touch(TABLET, "t1"))).events
    whole = after(own, given)
    assert (whole.customer.regroup, whole.customer.profile.events) == (None, 2)
    assert len(whole.scores) == 1


def test_a_merge_with_who_is_incomplete_makes_the_winner_incomplete(both):
    parted = after(both, regrouped(ANA_ID, ANA_ID, others=1)).customer
    loses = after(parted, merged(ANA_ID, "c_w", offset=10, generation=3))
    winner = after(Customer(customer_id="c_w", generation=3), *loses.events).customer
    assert winner.regroup == Regroup(TAKEN, 2)
    assert winner.timers == {}
    assert loses.customer.regroup == Regroup(parted.regroup.until, 0)
    (own,) = after(loses.customer, part_of(parted, ONE)).events
    assert (own.customer_id, own.generation, own.part) == ("c_w", 3, True)


def test_what_was_sent_within_an_older_group_is_dropped(both):
    parted = after(both, regrouped(ANA_ID, ANA_ID)).customer
    stale = after(parted, sent_on(touch(TABLET, "t2")))
    assert stale.customer.profile == Profile()
    assert stale.customer.applied["events/5"] == 0


def test_what_was_sent_within_a_newer_group_begins_it(both):
    news = after(both, sent_on(touch(TABLET, "t2"), generation=9)).customer
    assert (news.profile.events, news.generation, news.regroup) == (1, 9, Regroup(EARLY, 0))
    known = after(news, regrouped(ANA_ID, ANA_ID, others=1)).customer
    assert known.profile.events == 1
    assert known.regroup == Regroup(news.offset + 1, 1)


def test_own_events_before_a_regrouping_that_is_known_early_are_left_to_the_part(both):
    news = after(both, sent_on(touch(TABLET, "t2"), generation=9)).customer
    early = after(news, touch(id="e2", origin_offset=5)).customer
    assert early.profile.events == 1
    again = touch(id="e2", origin_offset=6)
    assert after(early, regrouped(ANA_ID, ANA_ID), again).customer.profile.events == 1


def test_a_merge_that_a_known_regrouping_undoes_is_not_done(both):
    news = after(both, sent_on(touch(TABLET, "t2"), generation=9)).customer
    reaction = after(news, merged(ANA_ID, "c_w", offset=3))
    assert (reaction.customer.merged_into, reaction.events) == (None, [])


def test_parts_that_come_before_their_number_is_told_are_counted(both):
    member = Customer(customer_id=TABLET_ID, offset=5)
    member = after(member, regrouped(TABLET_ID, ANA_ID)).customer
    (given,) = after(member, part_of(member, touch(TABLET, "t1"))).events
    early = after(both, given).customer
    assert early.regroup == Regroup(EARLY, -1)
    known = after(early, regrouped(ANA_ID, ANA_ID, others=1)).customer
    assert known.regroup == Regroup(early.offset + 1, 0)


def test_a_loser_can_be_absorbed_again_after_a_regrouping(both):
    parted = after(both, regrouped(ANA_ID, ANA_ID)).customer
    parted = after(parted, part_of(parted, ONE)).customer
    tablet = after(Customer(customer_id=TABLET_ID), touch(TABLET, "t1"))
    again = after(tablet.customer, merged(TABLET_ID, ANA_ID, offset=10, generation=9)).events[0]
    again = again.model_copy(update={"origin_offset": 99})
    whole = after(parted, again).customer
    assert (whole.profile.events, whole.absorbed) == (2, [TABLET_ID])


def test_an_episode_goes_back_to_its_owner():
    owned = replace(OPEN, owner=TABLET_ID)
    holder = replace(ANA_ONCE, episodes={RULE: owned})
    reaction = after(holder, regrouped(ANA_ID, ANA_ID))
    (back,) = reaction.events
    assert (back.customer_id, reaction.customer.episodes) == (TABLET_ID, {})
    owner = after(Customer(customer_id=TABLET_ID), back).customer
    assert owner.episodes == {RULE: OPEN}


def test_an_episode_of_ones_own_is_kept():
    holder = replace(ANA_ONCE, episodes={RULE: OPEN})
    reaction = after(holder, regrouped(ANA_ID, ANA_ID))
    assert (reaction.events, reaction.customer.episodes) == ([], {RULE: OPEN})


def test_an_owner_who_points_sends_its_episode_on_to_the_root():
    pointer = after(Customer(customer_id=TABLET_ID), regrouped(TABLET_ID, ANA_ID)).customer
    (onward,) = after(pointer, returned(TABLET_ID, OPEN)).events
    assert (onward.customer_id, onward.generation, onward.owner) == (ANA_ID, 9, TABLET_ID)
    root = after(replace(ANA_ONCE, generation=9), onward).customer
    assert root.episodes[RULE].owner == TABLET_ID


def test_an_episode_that_comes_to_a_group_that_is_no_more_goes_back_to_its_owner():
    root = replace(ANA_ONCE, generation=12)
    reaction = after(root, returned(TABLET_ID, OPEN, to=ANA_ID))
    (back,) = reaction.events
    assert (back.customer_id, back.generation) == (TABLET_ID, 12)
    assert reaction.customer.episodes == {}


def test_an_episode_in_what_is_dropped_goes_back_to_its_owner():
    tablet = after(Customer(customer_id=TABLET_ID), touch(TABLET, "t1")).customer
    tablet = replace(tablet, episodes={RULE: OPEN})
    (stale,) = after(tablet, merged(TABLET_ID, ANA_ID)).events
    (back,) = after(replace(ANA_ONCE, generation=9), stale).events
    assert (back.type, back.customer_id) == ("episodes_returned", TABLET_ID)


def test_a_number_once_used_under_an_id_is_not_used_again():
    ours = replace(ANA_ONCE, episodes={RULE: replace(OPEN, number=4, status="closed")})
    tablet = replace(Customer(customer_id=TABLET_ID), episodes={RULE: OPEN})
    (given,) = after(tablet, merged(TABLET_ID, ANA_ID)).events
    held = after(ours, given).customer
    assert held.episodes[RULE].owner == TABLET_ID
    assert raised_by(held) == 4
    pointer = after(held, merged(ANA_ID, "c_w", offset=1)).customer
    assert raised_by(pointer) == 4
    assert raised_by(after(pointer, regrouped(ANA_ID, ANA_ID)).customer) == 4


def test_a_new_episode_counts_on_from_its_own_id_not_from_the_one_it_held():
    held = replace(OPEN, status="closed", closed_ms=NOON_MS, owner=TABLET_ID)
    customer = replace(ANA_ONCE, episodes={RULE: held}, raised={RULE: 4})
    reaction = after(customer, touch(id="e2", hours=1, origin_offset=1), judge=WARY)
    assert [one.episode_id for one in reaction.alerts] == [f"{RULE}:{ANA_ID}:5"]


def test_caps_add_at_a_merge_and_each_id_keeps_its_own_at_an_unmerge():
    tablet = replace(Customer(customer_id=TABLET_ID), offers_made={"a": 2})
    loses = after(tablet, merged(TABLET_ID, ANA_ID))
    whole = after(replace(ANA_ONCE, offers_made={"a": 1}), *loses.events).customer
    assert whole.offers_made == {"a": 3}
    assert after(whole, regrouped(ANA_ID, ANA_ID)).customer.offers_made == {"a": 1}
    assert after(loses.customer, regrouped(TABLET_ID, TABLET_ID)).customer.offers_made == {"a": 2}


def test_a_member_hands_its_caps_over_to_a_new_root():
    pointer = Customer(customer_id=TABLET_ID, merged_into="c_w", offers_made={"a": 2})
    reaction = after(pointer, regrouped(TABLET_ID, ANA_ID))
    root = after(replace(ANA_ONCE, generation=9), *reaction.events).customer
    assert root.offers_made == {"a": 2}
    assert reaction.customer.offers_made == {"a": 2}


def test_the_cap_over_all_offers_counts_both_sides_contacts_once():
    pointer = Customer(customer_id=TABLET_ID, contacted=[1, 5], offers_made={"a": 2})
    given = after(pointer, merged(TABLET_ID, ANA_ID))
    assert given.customer.contacted == [1, 5]
    whole = after(replace(ANA_ONCE, contacted=[3, 5]), *given.events).customer
    assert whole.contacted == [1, 3, 5]
    assert after(whole, regrouped(ANA_ID, ANA_ID)).customer.contacted == [1, 3, 5]


def test_what_waits_on_either_side_is_answered_by_the_other():
    waiting = Pending(NOON_MS - DAY_MS, NOON_MS + 29 * DAY_MS, 0.5, 0, NO_FEATURES, "silence-30/1")
    outcome = Awaited(
        decision_id="d", arm="a/app", at_ms=NOON_MS - 1, due_ms=NOON_MS + DAY_MS, propensity=1.0,
        model_version=0, policy="", features=NO_FEATURES,
    )  # fmt: skip
    silent = Customer(customer_id=ANA_ID, pending=[waiting], awaited=[outcome])
    buyer = after(Customer(customer_id=TABLET_ID), touch(TABLET, "t1", OrderPlaced)).customer
    buyer = replace(buyer, pending=[], awaited=[])
    for loser, winner in ((buyer, silent), (silent, buyer)):
        (given,) = after(loser, merged(loser.customer_id, winner.customer_id)).events
        whole = after(winner, given).customer
        assert [bool(one.met_ms) for one in whole.pending if one.at_ms == waiting.at_ms] == [True]
        assert [one.unknown for one in whole.awaited if one.decision_id == "d"] == [1]


def test_a_name_that_nothing_came_under_leaves_its_winner_as_it_was():
    (given,) = after(Customer(customer_id=TABLET_ID), merged(TABLET_ID, ANA_ID)).events
    reaction = after(ANA_ONCE, given)
    expected = replace(
        ANA_ONCE,
        offset=ANA_ONCE.offset + 1,
        version=ANA_ONCE.version + 1,
        applied={**ANA_ONCE.applied, given.origin: given.origin_offset},
        received_ms=max(ANA_ONCE.received_ms, given.received_ms),
        absorbed=[TABLET_ID],
    )
    assert reaction.customer == expected
    assert [*reaction.scores, *reaction.decisions, *reaction.examples, *reaction.events] == []


@pytest.mark.parametrize(
    "kept", [{"episodes": {RULE: OPEN}}, {"offers_made": {"a": 2}}], ids=["episode", "caps"]
)
def test_what_was_given_back_to_a_name_that_nothing_came_under_goes_to_its_winner(kept):
    nobody = Customer(customer_id=TABLET_ID, **kept)
    (given,) = after(nobody, merged(TABLET_ID, ANA_ID)).events
    whole = after(ANA_ONCE, given).customer
    assert whole.offers_made.get("a", 0) >= kept.get("offers_made", {}).get("a", 0)
    assert set(kept.get("episodes", ())) <= set(whole.episodes)


def test_a_name_that_was_only_written_to_is_no_moment_to_judge_its_winner_at():
    mailed = after(Customer(customer_id=TABLET_ID), touch(TABLET, "t1", MessageSent)).customer
    (given,) = after(mailed, merged(TABLET_ID, ANA_ID)).events
    whole = after(ANA_ONCE, given)
    assert (whole.customer.profile.events, whole.scores) == (2, [])
    visited = after(mailed, touch(TABLET, "t2", origin_offset=1)).customer
    (given,) = after(visited, merged(TABLET_ID, ANA_ID)).events
    assert len(after(ANA_ONCE, given).scores) == 1


def test_who_was_only_ever_written_to_is_not_judged_when_its_own_part_is_in(both):
    parted = after(both, regrouped(ANA_ID, ANA_ID)).customer
    whole = after(parted, part_of(parted, touch(kind=MessageSent)))
    assert (whole.customer.regroup, whole.customer.profile.events) == (None, 1)
    assert whole.scores == []


def test_labels_of_a_mixed_history_are_dropped():
    assert ANA_ONCE.pending
    assert after(ANA_ONCE, regrouped(ANA_ID, ANA_ID)).examples == []
    assert after(ANA_ONCE, regrouped(ANA_ID, ANA_ID)).customer.pending == []


@pytest.mark.parametrize(("hours", "end"), [(1, 10), (11, None)])
def test_a_backfill_ends_for_both_when_the_other_lived_on_beyond_it(hours, end):
    ends = NOON + timedelta(hours=10)
    read_in = after(Customer(customer_id=ANA_ID), touch(observed_until=ends)).customer
    live = after(Customer(customer_id=TABLET_ID), touch(TABLET, "t1", hours=hours)).customer
    for loser, winner in ((live, read_in), (read_in, live)):
        (given,) = after(loser, merged(loser.customer_id, winner.customer_id)).events
        whole = after(winner, given).customer
        assert whole.observed_until_ms == (None if end is None else NOON_MS + end * 3_600_000)


def test_a_part_counts_once_what_a_crash_repeated_however_long_ago():
    many = [touch(id=f"e{n}", origin_offset=n) for n in range(seen.WINDOW + 40)]
    repeated = [*many, *many[:20]]
    own = part(ANA_ID, [(at(n), one) for n, one in enumerate(repeated)])
    assert own.profile.events == len(many)


def test_a_part_is_of_own_direct_events_alone():
    others = [sent_on(touch(TABLET, "t1")), touch(TABLET, "t2"), merged(ANA_ID, "c_w")]
    own = part(ANA_ID, [(at(n), one) for n, one in enumerate([*others, ONE])])
    assert own.profile == ANA_ONCE.profile
    assert (own.rhythm, own.clock_ms) == (ANA_ONCE.rhythm, ANA_ONCE.clock_ms)


def test_a_log_whose_unmerge_is_not_read_again_yet_tells_of_incomplete_customers():
    log = [ONE, regrouped(ANA_ID, ANA_ID)]
    folded = replay([(at(n), encode_event(one)) for n, one in enumerate(log)], JUDGE)
    assert folded[ANA_ID].regroup == Regroup(1, 0)
