"""Merged by mistake, parted by a person: each history is as it would have been."""

import json
import time
from itertools import count

import pytest

from infra.errors import UserError
from infra.rebuild import identity as identities
from infra.verify.run import verify
from models.customer import decode, encode
from models.dead_letter import DeadLetter
from models.events import Identifier, decode_event
from models.identity import customer_id_of
from models.judge import Judge
from models.links import encode as command
from models.links import state_merge, state_unmerge
from models.profile import Profile, fold_all
from models.react import Position
from models.regroup import is_direct
from models.replay import replay
from models.topics import DEAD_LETTERS, EVENTS, IDENTITY_LINKS, PROFILES, SCORES, TOUCHPOINTS
from tests.support.counting import status
from tests.support.kafka_log import newest, read_all, send
from tests.support.waiting import until

pytestmark = pytest.mark.stack

ANA, BEN = (Identifier(type="user_id", value=name) for name in ("ana", "ben"))
PHONE, TABLET = (Identifier(type="device_id", value=name) for name in ("d-phone", "d-tablet"))
ID = {name: customer_id_of(name) for name in (ANA, BEN, PHONE, TABLET)}


class World:
    """A worker, what was said to it, and what it made of it."""

    def __init__(self, settings):
        self.settings = settings
        self._numbers = count(1)

    def say(self, who, type="page_viewed", **fields):
        """Let somebody do something, under some of their names."""
        number = next(self._numbers)
        event = {
            "type": type,
            "event_id": f"e{number}",
            "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "identifiers": [one.model_dump(mode="json") for one in who],
        }
        needed = {"path": f"/{number}"} if type == "page_viewed" else {}
        topic = self.settings.topic(TOUCHPOINTS)
        message = str(who[0]).encode(), json.dumps(event | needed | fields).encode()
        send(self.settings.brokers, topic, [message])

    def buy(self, who, amount):
        """Let somebody buy something."""
        total = {"amount": amount, "currency": "USD"}
        self.say(who, "order_placed", schema_version=2, order_id=f"o-{amount}", total=total)

    def state(self, said):
        """State a merge or an unmerge."""
        topic = self.settings.topic(IDENTITY_LINKS)
        send(self.settings.brokers, topic, [(b"kim", command(said))])

    def customers(self):
        values = newest(self.settings.brokers, self.settings.topic(PROFILES)).values()
        return {one.customer_id: one for one in map(decode, values)}

    def folded(self, *names):
        """Return what all that came to these names gives, as if they had always been one."""
        ids = {ID[name] for name in names}
        log = [decode_event(r.value) for r in read_all(self.settings.brokers, self.topic(EVENTS))]
        own = {one.event_id: one for one in log if is_direct(one) and one.customer_id in ids}
        return fold_all(Profile(), own.values())

    def topic(self, topic):
        return self.settings.topic(topic)

    def stands(self, *groups):
        """Wait until exactly these are one, each whole; the first of a group is its root."""

        def so():
            now = self.customers()
            for root, *others in groups:
                one = now.get(ID[root])
                if one is None or one.regroup or one.merged_into or one.profile != self.folded(
                    root, *others
                ):  # fmt: skip
                    return False
                for other in others:
                    at = now.get(ID[other])
                    if at is None or at.regroup or at.merged_into is None or at.profile.events:
                        return False
            return True

        until(so, 120, f"one each: {groups}\n{self.customers()}")


@pytest.fixture
def world(kafka_settings, start_part):
    start_part(kafka_settings, "streams")
    return World(kafka_settings)


def test_an_unmerge_gives_each_their_own_and_a_merge_makes_them_one_again(world):
    for who, amount in (((ANA,), "10.00"), ((PHONE,), "1.00"), ((BEN,), "200.00")):
        world.buy(who, amount)
        world.say(who)
    world.buy((TABLET,), "3.00")
    world.say((PHONE, ANA), "customer_identified", traits={"city": "Austin"})
    world.say((TABLET, BEN), "customer_identified", traits={"city": "Seoul"})
    world.stands((ANA, PHONE), (BEN, TABLET))

    # Somebody at the counter takes Ben for Ana.
    world.say((ANA,), "customer_aliased", previous=[BEN.model_dump(mode="json")])
    world.stands((ANA, PHONE, BEN, TABLET))
    world.buy((BEN,), "40.00")
    world.buy((TABLET,), "5.00")
    world.buy((PHONE,), "6.00")
    world.stands((ANA, PHONE, BEN, TABLET))
    assert world.customers()[ID[ANA]].profile.revenue == {"USD": 26_500}

    now_ms = time.time_ns() // 1_000_000
    world.state(state_unmerge(ID[BEN], "kim", "two people", now_ms))
    for who in ((BEN,), (ANA,), (TABLET,), (PHONE,)) * 3:  # while they are being parted
        world.say(who)
    world.stands((ANA, PHONE), (BEN, TABLET))
    ana, ben = (world.customers()[ID[one]] for one in (ANA, BEN))
    assert (ana.profile.revenue, ben.profile.revenue) == ({"USD": 1_700}, {"USD": 24_800})
    assert (ana.profile.traits["city"].value, ben.profile.traits["city"].value) == (
        *("Austin", "Seoul"),
    )
    assert ana.risk is not None
    assert ben.risk is not None

    # The same mistake again leads nowhere; a person's word does.
    world.say((ANA, BEN), "customer_identified")
    world.say((BEN,))
    world.stands((ANA, PHONE), (BEN, TABLET))
    world.state(state_merge(BEN, ANA, "kim", "one person after all", now_ms + 1))
    world.say((BEN,))
    world.stands((ANA, PHONE, BEN, TABLET))

    def agreed():
        log = [
            (Position("events", record.partition, record.offset), record.value)
            for record in read_all(world.settings.brokers, world.topic(EVENTS))
        ]
        again = replay(log, Judge.untrained(horizon_days=world.settings.horizon_days))
        places = {id: (one.offset, one.applied, one.profile) for id, one in again.items()}
        live = world.customers()
        return {id: (one.offset, one.applied, one.profile) for id, one in live.items()} == places

    until(agreed, 120, "what an offline fold of the log gives")
    done = {"waiting": 0, "partition": None, "reading": 0, "left": 0}
    until(lambda: status(world.settings).get("refold") == done, 120, "nobody is read again")


def test_rules_that_change_are_stated_on_the_log_and_customers_become_what_they_give(
    kafka_settings, start_part, tmp_path
):
    loose, strict = (tmp_path / f"{name}.toml" for name in ("loose", "strict"))
    loose.write_text("unique = []\nshared_after = 0\n")
    strict.write_text("")  # as shipped: two users are two people
    before, after = (
        kafka_settings.model_copy(update={"identity_file": file}) for file in (loose, strict)
    )
    worker = start_part(before, "streams")
    world = World(before)
    for who, amount in ((ANA, "10.00"), (BEN, "200.00"), (TABLET, "3.00")):
        world.buy((who,), amount)
    world.say((TABLET, ANA))
    world.say((TABLET, BEN))
    first, second = sorted((ANA, BEN), key=lambda one: ID[one])
    world.stands((first, second, TABLET))
    assert worker.stop() == 0

    worker = start_part(after, "streams")
    rebuilt = identities.fold_anew(after, lambda done, there: None)
    assert ID[BEN] in rebuilt.regrouped or ID[ANA] in rebuilt.regrouped
    with pytest.raises(UserError, match="grouped otherwise"):
        identities.swap(after, rebuilt, print)
    identities.regroup(after, rebuilt)
    for who in (BEN, ANA, TABLET) * 3:  # while they are being parted
        world.say((who,))
    world.stands((ANA, TABLET), (BEN,))
    assert identities.fold_anew(after, lambda done, there: None).regrouped == {}

    assert worker.stop() == 0
    identities.swap(after, identities.fold_anew(after, lambda done, there: None), print)
    start_part(after, "streams")
    world.buy((BEN,), "5.00")
    until(lambda: world.customers()[ID[BEN]].profile.revenue == {"USD": 20_500}, 120)
    world.stands((ANA, TABLET), (BEN,))
    found = verify(after, ["profiles", "identity"], 1, lambda title: lambda done, there: None)
    assert [one.differences for one in found if not one.ok] == []


def test_nobody_is_judged_before_their_own_events_are_in(world):
    for number in range(20):
        world.buy((BEN,), f"{number + 1}.00")
        world.say((ANA,))
    world.say((ANA,), "customer_aliased", previous=[BEN.model_dump(mode="json")])
    world.stands((ANA, BEN))
    world.state(state_unmerge(ID[BEN], "kim", "two people", time.time_ns() // 1_000_000))
    for _ in range(20):
        world.say((BEN,))
    world.stands((ANA,), (BEN,))
    log = read_all(world.settings.brokers, world.topic(EVENTS))
    own = [decode_event(r.value) for r in log if r.key == ID[BEN].encode()]
    kinds = [one.type for one in own]
    parted = kinds.index("customer_regrouped")
    whole = kinds.index("customer_refolded")
    between = {one.event_id for one in own[parted : whole + 1] if is_direct(one)}
    scores = read_all(world.settings.brokers, world.topic(SCORES))
    causes = {json.loads(r.value)["cause"] for r in scores if r.key == ID[BEN].encode()}
    assert causes.isdisjoint(between)
    assert own[whole].event_id in causes


def test_who_is_in_no_group_cannot_be_taken_out(world):
    world.say((ANA,))
    world.stands((ANA,))
    world.state(state_unmerge(ID[ANA], "kim", "two people", 1))
    letters = until(lambda: read_all(world.settings.brokers, world.topic(DEAD_LETTERS)), 120)
    assert DeadLetter.of(letters[0].headers).source == "identity-links/0/0"
    assert encode(world.customers()[ID[ANA]])
