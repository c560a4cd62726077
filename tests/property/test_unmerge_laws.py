"""Merges and unmerges at any moment, in every interleaving: each customer ends whole and right.

Partitions are folded and read again at their own pace, steps crash, events come twice; when
all has come to rest, the log's own events say what every customer must be.
"""

from collections import Counter
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from models.alerts import RULE, episode_id
from models.catalogue import Catalogue
from models.customer import EARLY
from models.events import ConsentChanged, Identifier, MessageSent, OrderPlaced, PageViewed
from models.identity import customer_id_of, identify
from models.judge import Judge
from models.profile import Profile, fold_all
from models.replay import replay
from tests.support.groups import Groups
from tests.support.histories import NOON, event
from tests.support.world import World

OFFER = {"id": "a", "name": {"en": "a", "ko": "a"}, "channels": ["app"], "value": 5, "cap": 99}
# Whoever is looked at is at risk, and who comes back is not: episodes open and close all the time.
RISK = {"min_visits": 1, "high": 0.35, "low": 0.3}
JUDGE = Judge.untrained(Catalogue.model_validate({"offers": [OFFER], "risk": RISK}))
WHO = [
    Identifier(type=type, value=value)
    for type, value in (
        *(("user_id", "ana"), ("user_id", "bo"), ("email", "ana@x.com")),
        *(("anonymous_id", "a-1"), ("anonymous_id", "a-2"), ("anonymous_id", "a-3")),
    )
]
IDS = [customer_id_of(one) for one in WHO]
KINDS = [PageViewed, OrderPlaced, ConsentChanged, MessageSent]

people = st.sampled_from(range(len(WHO)))
crashes = st.none() | st.integers(0, 3)


class Unmerging(RuleBasedStateMachine):
    """Whatever may happen to a few people, at any time."""

    @initialize(
        partitions=st.integers(1, 4),
        joined=st.lists(st.tuples(people, st.integers(1, 5)), max_size=8),
    )
    def begin(self, partitions, joined):
        """Begin with a few who were merged long ago: what is hard comes after that."""
        self.world = World(partitions, JUDGE)
        self.groups = Groups()
        self.sent = {}  # id -> event, as it first came
        self.offset = -1
        for number in range(len(WHO)):
            self.touch(number, KINDS[number % 4], number, None, False)
        for a, b in joined:
            self.join(a, b, True, None)
        self.world.settle()

    def _send(self, one, crash=None):
        self.offset += 1
        placed = {"origin": "touchpoints/0", "origin_offset": self.offset}
        self.world.send([one.model_copy(update=placed)], crash)

    @rule(
        who=people,
        kind=st.sampled_from(KINDS),
        hours=st.integers(0, 1_000),
        crash=crashes,
        at_once=st.booleans(),
    )
    def touch(self, who, kind, hours, crash, at_once):
        at = NOON + timedelta(hours=hours)
        one = event(kind, at=at, received_at=at, id=f"e{len(self.sent)}", who=(WHO[who],))
        one = identify(one, "", -1)
        self.sent[one.event_id] = one
        self._send(one, crash)
        if at_once:
            self.world.fold(self.world.place(IDS[who]), 1_000)

    @precondition(lambda self: self._early())
    @rule(data=st.data(), hours=st.integers(0, 1_000), again=st.booleans())
    def touch_one_who_is_told_last(self, data, hours, again):
        who = data.draw(st.sampled_from(self._early()))
        self.touch(who, PageViewed, hours, None, True)
        self.world.hurry(self.world.place(IDS[who]))
        if again:
            self._send(self.sent[f"e{len(self.sent) - 1}"])

    def _early(self):
        known = {id: one.regroup for id, one in self.world.customers.items() if one.regroup}
        return [n for n, id in enumerate(IDS) if id in known and known[id].until == EARLY]

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_again(self, data):
        self._send(self.sent[data.draw(st.sampled_from(sorted(self.sent)))])

    @rule(a=people, beside=st.integers(1, len(WHO) - 1), stated=st.booleans(), crash=crashes)
    def join(self, a, beside, stated, crash):
        b = (a + beside) % len(WHO)
        if self.groups.root(IDS[a]) != self.groups.root(IDS[b]):
            self.world.tell(self.groups.join(WHO[a], WHO[b], stated), crash)

    @precondition(lambda self: self._members())
    @rule(data=st.data(), crash=crashes)
    def part(self, data, crash):
        who = data.draw(st.sampled_from(self._members()))
        self.world.tell(self.groups.part(WHO[who]), crash)

    @precondition(lambda self: self._members())
    @rule(data=st.data())
    def part_and_join_again_before_the_root_is_told(self, data):
        who = data.draw(st.sampled_from(self._members()))
        root = IDS.index(self.groups.root(IDS[who]))
        for told in (self.groups.part(WHO[who]), self.groups.join(WHO[who], WHO[root], True)):
            self.world.tell(told)
            self.world.hurry(self.world.place(IDS[who]))
        self.world.fold(self.world.place(IDS[root]), 1_000)

    def _members(self):
        return [n for n, one in enumerate(IDS) if self.groups.root(one) != one]

    @rule(number=st.integers(0, 3))
    def hurry(self, number):
        """One partition is ahead of all others, to the end of what it can do."""
        self.world.hurry(number % len(self.world.partitions))

    @rule(number=st.integers(0, 3), count=st.integers(1, 3))
    def arrive(self, number, count):
        self.world.arrive(number % len(self.world.partitions), count)

    @rule(number=st.integers(0, 3), count=st.integers(1, 9), crash=crashes)
    def fold(self, number, count, crash):
        self.world.fold(number % len(self.world.partitions), count, crash)

    @precondition(lambda self: self.world.waiting())
    @rule(data=st.data(), times=st.integers(1, 2))
    def refold(self, data, times):
        waiting = self.world.waiting()
        who = data.draw(st.sampled_from(sorted(waiting)))
        self.world.refold(who, waiting[who], times)

    @precondition(lambda self: self.world.customers)
    @rule(data=st.data())
    def ring(self, data):
        self.world.ring(data.draw(st.sampled_from(sorted(self.world.customers))))

    def teardown(self):
        if hasattr(self, "world"):
            self.world.settle()
            self._check()

    def _check(self):
        customers = self.world.customers
        for root in {self.groups.root(one) for one in IDS}:
            members = self.groups.members(root)
            own = [one for one in self.sent.values() if one.customer_id in members]
            known = [customers[one] for one in members if one in customers]
            if not known:
                continue
            whole = customers.get(root)
            assert whole is not None
            assert (whole.merged_into, whole.regroup) == (None, None)
            assert whole.profile == fold_all(Profile(), own)
            assert sorted({root, *whole.absorbed}) == sorted(one.customer_id for one in known)
            for one in known:
                assert one.customer_id == root or self._end_of(one) == root
                assert one.customer_id == root or one.profile == Profile()
            self._check_judged(root, members, whole)
        assert replay(self.world.log(), JUDGE) == customers

    def _end_of(self, one):
        climbed = []
        while one.merged_into is not None:
            assert one.customer_id not in climbed
            assert (one.regroup, one.timers) == (None, {})
            climbed.append(one.customer_id)
            one = self.world.customers[one.merged_into]
        return one.customer_id

    def _check_judged(self, root, members, whole):
        decided = [one for one in self.world.decisions if one.customer_id in members]
        made = Counter(one.offer for one in decided if one.channel is not None)
        assert whole.offers_made == made
        opened = [one for one in self.world.alerts if one.status == "opened"]
        assert len({one.alert_id for one in opened}) == len(opened), "an id comes twice"
        assert all(one.cause.startswith(("e", "timer:")) for one in opened), "none opens by a merge"
        over = {one.episode_id for one in self.world.alerts if one.status == "closed"}
        under = {
            one.episode_id
            for one in self.world.alerts
            if one.status == "opened" and one.episode_id.split(":")[1] in members
        }
        held = whole.episodes.get(RULE)
        open_now = {episode_id(root, held)} if held and held.status == "open" else set()
        assert open_now == under - over


Unmerging.TestCase.settings = settings(max_examples=120, stateful_step_count=50, deadline=None)
test_each_customer_ends_whole_and_right = Unmerging.TestCase
