"""A simulated world follows from its seed, and everything it says is a valid touchpoint."""

from collections import Counter
from itertools import islice

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.simulator.mischief import Mischief
from infra.simulator.scene import stamp
from infra.simulator.truth import CONTENT, ENDING, REFUNDED, UPSET, acceptance, hazard
from infra.simulator.world import DAY, OfferInHand, World, days_since, restamped
from models.errors import TouchpointRejectedError
from models.events import Wire, parse
from models.identity import identify

START_MS = 1_790_000_000_000
MAKES = {"order_placed": "order_id", "ticket_opened": "ticket_id", "message_sent": "message_id"}
worlds = st.tuples(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 60))


def history(seed: int, customers: int, days: int) -> list:
    return list(World(seed, customers, days, START_MS).history())


def present(world: World, scenes: int) -> list:
    list(world.history())
    offer = OfferInHand("upgrade", "d-1")
    return [
        said
        for one in islice(world.live("run"), scenes)
        for said in world.session(one, START_MS, 1.0, offer)
    ]


@settings(max_examples=20, deadline=None)
@given(worlds)
def test_the_same_seed_gives_the_same_world(given_world):
    assert history(*given_world) == history(*given_world)
    one, other = World(*given_world, START_MS), World(*given_world, START_MS)
    assert present(one, 20) == present(other, 20)


@settings(max_examples=20, deadline=None)
@given(worlds)
def test_all_that_is_said_is_valid_in_order_of_time_and_has_an_id_of_its_own(given_world):
    world = World(*given_world, START_MS)
    past = list(world.history())
    said = [*past, *present(World(*given_world, START_MS), 20)]
    for at_ms, event in said:  # a scene goes on for days; each part is sent when it happens
        received_ms = max(at_ms, START_MS)
        identify(parse(orjson.dumps(event), Wire(received_ms=received_ms)), "", -1)
    assert [at for at, _ in past] == sorted(at for at, _ in past)
    assert max(Counter(event["event_id"] for _, event in past).values(), default=1) == 1


def test_a_world_of_another_seed_is_another_world():
    assert history(1, 10, 30) != history(2, 10, 30)


def test_nothing_in_the_past_happens_after_the_start():
    assert all(said.at_ms <= START_MS + 4 * DAY for said in history(3, 50, 90))


def test_a_customer_who_left_says_nothing_more():
    world = World(11, 120, 200, START_MS)
    newest: dict[str, int] = {}
    for said in world.history():
        newest[said.event["event_id"].split("-")[2]] = said.at_ms
    left = [one for one in world.people if one.left_ms is not None]
    assert len(left) > 5
    # A parcel or a refund may still be on its way when somebody leaves: days, no more.
    assert all(newest[str(one.index)] <= one.left_ms + 4 * DAY for one in left)
    assert not {one.index for one in left} & {one.index for one in islice(world.live("x"), 300)}


def an_hour(world: World, rate: float) -> list:
    """Return what is said in an hour at so many events a second, each with its time."""
    list(world.history())
    said: list = []
    for one in world.live("hour"):
        at_ms = START_MS + int(len(said) / rate * 1000)
        if at_ms >= START_MS + 3_600_000:
            return said
        scene = world.session(one, at_ms, days_since(one, at_ms))
        said += [(at_ms, event) for _, event in scene]
    raise AssertionError("the present ended")


def test_an_hour_of_the_present_ages_nobody():
    """However fast events come: nobody leaves sooner, and hardly more is bought than on a day."""
    world = World(7, 200, 60, START_MS)
    said = an_hour(world, 10)
    staying = {one.index for one in world.people if (one.left_ms or START_MS) >= START_MS}
    left = {one.index for one in world.people if (one.left_ms or 0) >= START_MS}
    assert len(left) <= 0.05 * len(staying)
    came = {int(event["event_id"].rsplit("-", 2)[1]) for _, event in said}
    assert 0.4 < len(came & staying) / len(staying) < 0.95
    bought = [event for _, event in said if event["type"] == "order_placed"]
    assert 20 < len(bought) < 200
    assert world.met > 300


def test_newcomers_are_others_than_those_of_the_run_before():
    one, other = World(7, 50, 30, START_MS), World(7, 50, 30, START_MS)
    first = {person.index for person in islice(one.live("a"), 500)}
    second = {person.index for person in islice(other.live("b", one.met), 500)}
    assert one.met > 10
    assert not {i for i in first & second if i >= 50}


def test_nothing_made_in_a_run_bears_the_name_of_another_run():
    made = []
    for run in ("s7-a", "s7-b"):
        world = World(7, 50, 30, START_MS)
        said = list(world.history()) if run == "s7-a" else list(world.history())[:0]
        said += [
            one
            for person in islice(world.live(run), 500)
            for one in world.session(person, START_MS, 0.1)
        ]
        made += [
            event[name]
            for _, event in said
            for kind, name in MAKES.items()
            if event["type"] == kind
        ]
    assert len(made) > 200
    assert max(Counter(made).values()) == 1


def test_people_leave_as_the_truth_says():
    assert hazard(0.001, upset=True, refunded=False, content=False) == 0.001 * UPSET
    assert hazard(0.001, upset=False, refunded=True, content=True) == 0.001 * REFUNDED * CONTENT


def test_an_offer_is_taken_as_often_as_the_truth_says():
    world = World(5, 400, 90, START_MS)
    list(world.history())
    shown = taken = 0
    expected = 0.0
    for one in islice(world.live("run"), 3_000):
        said = world.session(one, START_MS, 0.0, OfferInHand("upgrade", "d", "email"))
        kinds = [event["type"] for _, event in said]
        if "offer_shown" in kinds:
            shown += 1
            taken += "offer_accepted" in kinds
            expected += acceptance(5, one.kind, one.index, "upgrade", "email")
    assert shown > 1_000
    assert taken == pytest.approx(expected, rel=0.15)


def test_faults_are_counted_and_every_event_still_arrives():
    events = [event for _, event in history(9, 150, 90)]
    mischief = Mischief(1)
    sent = [*mischief.spoil(events), *mischief.rest()]
    bad = [event for event in sent if event["event_id"].startswith("bad-")]
    good = [event for event in sent if not event["event_id"].startswith("bad-")]
    assert min(mischief.done[kind] for kind in ("twice", "late", "bad")) > 0
    assert len(bad) == mischief.done["bad"]
    assert len(good) == len(events) + mischief.done["twice"]
    assert {event["event_id"] for event in good} == {event["event_id"] for event in events}
    for event in bad:
        with pytest.raises(TouchpointRejectedError):
            identify(parse(orjson.dumps(event), Wire(received_ms=START_MS)), "", -1)


def test_a_restamped_event_happens_now():
    (said, *_) = history(1, 5, 30)
    assert restamped(said, START_MS)["occurred_at"] == "2026-09-21T14:13:20.000+00:00"
    assert said.event["occurred_at"] != "2026-09-21T14:13:20.000+00:00"


def test_contracts_are_renewed_at_their_ends_or_given_up():
    world = World(7, 150, 200, START_MS)
    ends, words = {}, Counter()
    for _, said in world.history():
        if not str(said["type"]).startswith("subscription_"):
            continue
        words[said["type"]] += 1
        id = said["subscription_id"]
        if said["type"] == "subscription_renewed":
            assert said["occurred_at"] >= ends[id]
        ends[id] = said.get("renews_at", "")
    assert words["subscription_renewed"] > words["subscription_started"] > 30
    assert words["subscription_cancelled"] > 3
    under = {one.index for one in world.people if one.plan is not None and one.left_ms is None}
    assert {f"sub-{index}" for index in under} <= ends.keys()
    running = {id for id, end in ends.items() if end > stamp(START_MS)}
    assert {f"sub-{index}" for index in under} <= running
    lapsed = [
        one
        for one in world.people
        if one.plan is not None and ends.get(f"sub-{one.index}", "") and one.left_ms
    ]
    assert lapsed  # some let it end without a word


def test_a_contract_is_likelier_to_be_given_up_in_its_last_days():
    assert hazard(0.001, upset=False, refunded=False, content=False, ending=True) == 0.001 * ENDING
