"""A profile as of a time is what somebody would have folded who had stood there and looked."""

from datetime import timedelta
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

import models.events as ev
from models.events.codec import made
from models.identity import identify
from models.judge import Judge
from models.naming import derive
from models.profile import Profile, evolve
from tests.support.groups import Groups
from tests.support.histories import NOON, event, kinds, times
from tests.support.past import PARTITIONS, Tables
from tests.support.world import World as Stream

LAWFUL = settings(max_examples=150, deadline=None)
IDS = [f"c_{letter * 20}" for letter in "abcde"]
RECEIVED = NOON + timedelta(days=30)


def ms(at):
    return int(at.timestamp() * 1_000)


class World:
    """Customers who are touched, merged and parted; and who was one with whom after each step."""

    def __init__(self):
        self.tables = Tables()
        self.root_of = {one: one for one in IDS}
        self.history = []  # (received ms, who was one with whom, events so far)
        self.events = []
        self.links = 0
        self.told = []

    def step(self, number, do, *given):
        self.now = RECEIVED + timedelta(minutes=number // 2)  # two at the same time, too
        do(self, *given)
        self.history.append((ms(self.now), dict(self.root_of), list(self.events)))

    def touch(self, customer, kind, at):
        one = event(kind[0], at, f"e{len(self.events)}", received_at=self.now, **kind[1])
        self.put(one.model_copy(update={"customer_id": IDS[customer], "origin": "touchpoints/0"}))

    def put(self, one):
        self.tables.append(one)
        self.events.append(one)
        root = self.root_of[one.customer_id]
        if root != one.customer_id:  # as the fold forwards it
            copy = {"customer_id": root, "origin": "events/0", "origin_offset": len(self.events)}
            self.tables.append(one.model_copy(update=copy))

    def repeat(self, which, later):
        """A client sends again what it sent, with another clock."""
        if self.events:
            one = self.events[which % len(self.events)]
            times = {"occurred_at": one.occurred_at + later, "received_at": self.now}
            self.tables.append(one.model_copy(update=times))

    def merge(self, a, b):
        a, b = self.root_of[IDS[a]], self.root_of[IDS[b]]
        if a != b:
            self.tell(made_merge(a, b, self.now, self.links))
            self.root_of = {one: b if up == a else up for one, up in self.root_of.items()}

    def part(self, member, chosen):
        root = self.root_of[IDS[member]]
        group = [one for one in IDS if self.root_of[one] == root]
        side = {one for one, out in zip(group, chosen, strict=False) if out}
        for members in (side, set(group) - side):
            for one in sorted(members):
                self.root_of[one] = min(members)
                self.tell(made_place(one, min(members), len(members), self.now, self.links))

    def tell(self, one):
        self.told.append(one)
        self.tables.append(one)
        self.links += 1
        if self.links % 3 == 0:  # one who lost its partition says late what it had to say
            self.tables.append(self.told[-3])

    def expected(self, customer, at, known):
        """Return who was one with the customer, and the profile of them all, by hand."""
        roots, events = {one: one for one in IDS}, []
        for when, then, so_far in self.history:
            if when <= known:
                roots, events = then, so_far
        members = [one for one in IDS if roots[one] == roots[customer]]
        theirs = [one for one in events if one.customer_id in members and one.occurred_ms <= at]
        return members, reduce(evolve, theirs, Profile())


def envelope(customer, now, number):
    return {
        "occurred_at": now, "received_at": now, "customer_id": customer,
        "origin": "identity-links/0", "origin_offset": number,
    }  # fmt: skip


def made_merge(loser, winner, now, number):
    told = envelope(loser, now, number)
    more = {"event_id": f"m{number}", "loser": loser, "winner": winner, "link_id": f"l{number}"}
    return made(ev.CustomerMerged, **told, **more)


def made_place(member, root, size, now, number):
    told = envelope(member, now, number) | {"event_id": f"r{number}", "root": root}
    why = {"unmerge_id": "u", "by": "Kim", "reason": "two people"}
    return made(
        ev.CustomerRegrouped, generation=number, others=size - (member == root), **told, **why
    )


who = st.integers(0, len(IDS) - 1)
later = st.integers(-90, 90).map(lambda minutes: timedelta(minutes=minutes))
steps = st.lists(
    st.one_of(
        st.tuples(st.just(World.touch), who, kinds, times),
        st.tuples(st.just(World.repeat), st.integers(0, 30), later),
        st.tuples(st.just(World.merge), who, who),
        st.tuples(st.just(World.part), who, st.lists(st.booleans(), min_size=5, max_size=5)),
    ),
    min_size=1,
    max_size=30,
)


@LAWFUL
@given(steps, who, times, st.integers(0, 16))
def test_as_of_any_two_times_it_is_the_fold_of_what_had_happened_and_was_known(
    given, number, at, minutes
):
    world = World()
    for count, one in enumerate(given):
        world.step(count, *one)
    known = ms(RECEIVED + timedelta(minutes=minutes))
    members, profile = world.expected(IDS[number], ms(at), known)
    of, folded = world.tables.ask(IDS[number], ms(at), known)
    assert of.members == members
    assert folded.profile == profile
    assert folded.events == profile.events


@LAWFUL
@given(steps, who)
def test_as_of_each_time_at_which_something_happened(given, number):
    world = World()
    for count, one in enumerate(given):
        world.step(count, *one)
    now = ms(RECEIVED) * 2
    for at in sorted({one.occurred_ms for one in world.events}):
        _, profile = world.expected(IDS[number], at, now)
        assert world.tables.ask(IDS[number], at)[1].profile == profile


named = st.sampled_from(
    [ev.Identifier(type=kind, value=f"n{n}") for kind in ("user_id", "anonymous_id") for n in "12"]
)
doings = st.lists(
    st.one_of(
        st.tuples(st.just("touch"), named, kinds, times),
        st.tuples(st.just("join"), named, named, st.booleans()),
        st.tuples(st.just("part"), named),
        st.tuples(st.just("fold"), st.integers(0, PARTITIONS - 1), st.integers(1, 4)),
    ),
    min_size=1,
    max_size=25,
)


def lived(given):
    """Let the stream do what it does with what is given, and come to rest."""
    world, groups, sent = Stream(PARTITIONS, Judge.untrained()), Groups(), 0
    for number, (doing, *said) in enumerate(given):
        now = {"received_at": RECEIVED + timedelta(minutes=number)}
        if doing == "touch":
            who, (kind, fields), at = said
            one = event(kind, at, f"e{number}", (who,), **now, **fields)
            world.send([identify(one, "touchpoints/0", sent)] * 2, crashes_at=number % 2)
            sent += 1
        elif doing == "fold":
            world.fold(*said)
        elif doing == "part" or said[0] != said[1]:
            told = groups.join(*said) if doing == "join" else groups.part(*said)
            world.send([one.model_copy(update=now) for one in told])
    world.settle()
    tables = Tables()
    for _, value in world.log():
        tables.append(ev.decode_event(value))
    return world.customers, tables


@LAWFUL
@given(doings)
def test_as_of_now_is_the_live_profile(given):
    customers, tables = lived(given)
    for customer_id, customer in customers.items():
        of, folded = tables.ask(customer_id)
        root = customers[of.root]
        assert (root.merged_into, of.root == customer_id) == (None, customer.merged_into is None)
        assert folded.profile == root.profile
        assert folded.received_ms == max(
            (one.received_ms for one in direct(tables, of.members)), default=0
        )
        assert set(of.members) >= {of.root, *root.absorbed}


@LAWFUL
@given(doings, st.integers(0, 25))
def test_what_was_known_then_is_what_the_live_fold_held(given, many):
    customers, _ = lived(given[: many + 1])
    _, tables = lived(given)
    known = ms(RECEIVED + timedelta(minutes=many))
    for customer_id, customer in customers.items():
        of, folded = tables.ask(customer_id, known_ms=known)
        assert (of.root == customer_id) == (customer.merged_into is None)
        assert folded.profile == customers[of.root].profile


def direct(tables, members):
    return [ev.decode_event(entry.value) for entry in tables.entries(members)]


def test_a_name_that_the_log_has_never_met_is_nobodys():
    of, folded = Tables().ask(derive("user_id:nobody"))
    assert (of.members, folded.events) == ([derive("user_id:nobody")], 0)
