"""The steps without a broker: a batch in, and what is asked of the lane."""

import asyncio
import json

import pytest

from models import links
from models.customer import Customer, decode, encode
from models.dead_letter import DeadLetter
from models.events import CustomerIdentified, Identifier, decode_event, encode_event
from models.identity import customer_id_of, identify
from models.timers import fired
from models.topics import DEAD_LETTERS, EVENTS, IDENTITY_LINKS, SCORES
from streams import due, fold, resolve, validate
from streams.lane import Batch, Record, View
from streams.lane.restore import Copy
from streams.lane.state import Partition
from streams.lane.store import MemoryStore
from tests.support.histories import ANA, NOON, event

VISITOR = Identifier(type="anonymous_id", value="a-1")
ANA_ID, VISITOR_ID = customer_id_of(ANA), customer_id_of(VISITOR)
NOON_MS = event(at=NOON).occurred_ms


def native(who=(ANA,), **fields):
    named = [{"type": one.type.value, "value": one.value} for one in who]
    event = {"type": "page_viewed", "path": "/", "event_id": "e1", "identifiers": named}
    return json.dumps(event | fields).encode()


def batch_of(topic, *values):
    records = [Record(offset, b"k", value, (), NOON_MS) for offset, value in enumerate(values, 10)]
    return Batch(topic, 3, tuple(records))


@pytest.fixture
def run(monkeypatch):
    """Run a step's agent on one batch; return what it sends and the state it leaves."""

    async def run(step, batch, state=None, table=None, owned=True):
        view = View(state or {}, partition=3)
        sent = []

        async def complete(done, outbox, *views):
            assert done is batch
            sent.extend(outbox.messages)
            return owned

        async def opened(_):
            return view

        async def batches():
            yield batch

        monkeypatch.setattr(validate.app, "complete", complete)
        if table is not None:
            monkeypatch.setattr(table, "open", opened)
        await step.fun.__wrapped__(batches())
        return sent, view.changes

    return run


def on(sent, topic):
    return [message for message in sent if message.topic == topic]


async def test_a_touchpoint_goes_on_keyed_by_its_customer(run):
    sent, _ = await run(validate.validate, batch_of("touchpoints", native()))
    (message,) = sent
    assert (message.topic, message.key) == (EVENTS, ANA_ID.encode())
    logged = decode_event(message.value)
    assert (logged.customer_id, logged.origin, logged.origin_offset) == (
        ANA_ID,
        "touchpoints/3",
        10,
    )
    assert logged.received_ms == NOON_MS


async def test_a_refused_message_is_buried_whole_and_the_next_goes_on(run):
    bad = b'{"type": "danced", "secret": 1}'
    sent, _ = await run(validate.validate, batch_of("touchpoints", bad, native(), None))
    first, last = on(sent, DEAD_LETTERS)
    letter = DeadLetter.of(first.headers)
    assert (first.key, first.value) == (b"k", bad)
    assert (letter.reason, letter.where, letter.source) == (
        "unknown_type",
        "type",
        "touchpoints/3/10",
    )
    assert (last.value, DeadLetter.of(last.headers).reason) == (None, "empty")
    assert len(on(sent, EVENTS)) == 1


async def test_a_link_is_sent_once_though_every_event_carries_it(run):
    seen = [native((VISITOR, ANA), event_id=f"e{n}") for n in range(3)]
    sent, _ = await run(validate.validate, batch_of("touchpoints", *seen))
    (message,) = on(sent, IDENTITY_LINKS)
    link = links.decode_link(message.value)
    assert (link.left, link.right) == (VISITOR_ID, ANA_ID)


async def test_an_alias_that_is_said_again_is_sent_again(run):
    said = json.dumps(
        {"type": "customer_aliased", "identifiers": {"user_id": "ana"},
         "previous": [{"type": "anonymous_id", "value": "a-1"}]}
    ).encode()  # fmt: skip
    sent, _ = await run(validate.validate, batch_of("touchpoints", said, said))
    first, again = (links.decode_link(message.value) for message in on(sent, IDENTITY_LINKS))
    assert (first.link_id, first.kind) == (again.link_id, "aliased")
    assert first.event_id != again.event_id


def test_the_oldest_link_is_forgotten_first():
    recent = validate.Recent(limit=2)
    assert [recent.add(id) for id in ("a", "b", "a", "c", "a", "b")] == [
        True, True, False, True, False, True,
    ]  # fmt: skip


def link_of(*who, id="e1"):
    told = identify(event(CustomerIdentified, id=id, who=who), "touchpoints/0", 0)
    return [links.encode(link) for link in links.links_of(told)]


async def test_a_link_merges_its_customers_at_the_loser(run):
    batch = batch_of("identity-links", *link_of(VISITOR, ANA), *link_of(VISITOR, ANA))
    sent, changes = await run(resolve.resolve_links, batch, table=resolve.identities)
    (message,) = sent
    merged = decode_event(message.value)
    assert (message.key, merged.loser, merged.winner) == (VISITOR_ID.encode(), VISITOR_ID, ANA_ID)
    assert (merged.origin, merged.origin_offset) == ("identity-links/3", 10)
    assert set(changes) == {VISITOR_ID.encode(), ANA_ID.encode(), links.APPLIED.encode()}


async def test_a_command_that_is_delivered_again_leads_to_nothing(run):
    stated = links.encode(links.state_merge(VISITOR, ANA, "eva", "same card", NOON_MS))
    parted = links.encode(links.state_unmerge(VISITOR_ID, "eva", "a mistake", NOON_MS))
    batch = batch_of("identity-links", stated, parted)
    sent, changes = await run(resolve.resolve_links, batch, table=resolve.identities)
    assert len(sent) == 3
    again, after = await run(resolve.resolve_links, batch, state=changes, table=resolve.identities)
    assert (again, after) == ([], {})


async def test_an_unmerge_tells_each_member_of_both_sides_its_new_place(run):
    parted = links.encode(links.state_unmerge(VISITOR_ID, "eva", "a mistake", NOON_MS))
    batch = batch_of("identity-links", *link_of(VISITOR, ANA), parted)
    sent, _ = await run(resolve.resolve_links, batch, table=resolve.identities)
    told = {message.key.decode(): decode_event(message.value) for message in sent[1:]}
    assert {id: (one.root, one.others) for id, one in told.items()} == {
        VISITOR_ID: (VISITOR_ID, 0), ANA_ID: (ANA_ID, 0),
    }  # fmt: skip
    assert {(one.generation, one.by, one.reason) for one in told.values()} == {
        (11, "eva", "a mistake")
    }
    assert all(one.customer_id == id for id, one in told.items())


async def test_a_merge_carries_the_generation_of_the_group_that_it_joins(run):
    parted = links.encode(links.state_unmerge(VISITOR_ID, "eva", "a mistake", NOON_MS))
    stated = links.encode(links.state_merge(VISITOR, ANA, "eva", "after all", NOON_MS))
    batch = batch_of("identity-links", *link_of(VISITOR, ANA), parted, stated)
    sent, _ = await run(resolve.resolve_links, batch, table=resolve.identities)
    first, *_, last = (decode_event(message.value) for message in sent)
    assert (first.generation, last.generation) == (-1, 11)
    assert (last.winner, last.loser) == (ANA_ID, VISITOR_ID)


async def test_what_a_person_asked_for_and_cannot_be_is_buried_with_the_reason(run):
    alone = links.encode(links.state_unmerge(VISITOR_ID, "eva", "a mistake", NOON_MS))
    nobody = links.encode(links.state_merge("c_unheard", ANA, "eva", "same", NOON_MS))
    root = links.encode(links.state_unmerge(ANA_ID, "eva", "a mistake", NOON_MS))
    batch = batch_of("identity-links", alone, nobody, *link_of(VISITOR, ANA), root)
    sent, _ = await run(resolve.resolve_links, batch, table=resolve.identities)
    letters = [DeadLetter.of(message.headers) for message in on(sent, DEAD_LETTERS)]
    assert [letter.reason for letter in letters] == ["refused"] * 3
    assert len(on(sent, EVENTS)) == 1


async def test_a_merge_that_the_rules_forbid_is_buried_in_words_that_say_why(run):
    users = [Identifier(type="user_id", value=f"u{number}") for number in range(3)]
    shared = [link for user in users for link in link_of(VISITOR, user)]
    stated = links.encode(links.state_merge(VISITOR, ANA, "eva", "same", NOON_MS))
    batch = batch_of("identity-links", *shared, stated)
    sent, _ = await run(resolve.resolve_links, batch, table=resolve.identities)
    [letter] = [DeadLetter.of(message.headers) for message in on(sent, DEAD_LETTERS)]
    assert (letter.reason, letter.detail, letter.source) == (
        *("refused", f"{links.MEANS['shared']} (shared); {links.WAYS['shared']}"),
        "identity-links/3/13",
    )


async def test_a_refused_link_is_counted_and_said_once_for_a_customer(run, caplog):
    visitor, third = (Identifier(type="anonymous_id", value=name) for name in ("v", "w"))
    users = [Identifier(type="user_id", value=name) for name in ("u1", "u2")]
    told = [link_of(one, user) for one in (visitor, third) for user in users]
    before = dict(resolve.refused)
    batch = batch_of("identity-links", *(link for one in told for link in one))
    await run(resolve.resolve_links, batch, table=resolve.identities)
    assert resolve.refused["two_users"] == before["two_users"] + 2
    assert [record.args[2] for record in caplog.records] == ["two_users"]
    assert resolve.app.tells["links"]() == {"refused": resolve.refused}


async def test_what_is_no_link_is_buried(run):
    batch = batch_of("identity-links", b"{}", None)
    sent, changes = await run(resolve.resolve_links, batch, table=resolve.identities)
    assert [DeadLetter.of(message.headers).reason for message in sent] == ["bad_field"] * 2
    assert changes == {}


def logged(*events):
    return [
        encode_event(identify(one, "touchpoints/3", offset)) for offset, one in enumerate(events)
    ]


async def test_a_customer_is_written_once_for_all_its_events_of_a_batch(run):
    batch = batch_of("events", *logged(*(event(id=f"e{n}") for n in range(3))))
    sent, changes = await run(fold.fold, batch, table=due.customers)
    assert list(changes) == [ANA_ID.encode()]
    customer = decode(changes[ANA_ID.encode()])
    assert (customer.profile.events, customer.offset, customer.version) == (3, 12, 3)
    assert [message.key for message in on(sent, SCORES)] == [ANA_ID.encode()] * 3


async def test_a_batch_delivered_again_changes_and_sends_nothing(run):
    batch = batch_of("events", *logged(event()))
    _, changes = await run(fold.fold, batch, table=due.customers)
    sent, again = await run(fold.fold, batch, state=changes, table=due.customers)
    assert (sent, again) == ([], {})


async def test_what_is_no_event_is_buried_and_the_next_folded(run):
    batch = batch_of("events", b"{}", None, encode_event(event()), *logged(event()))
    sent, changes = await run(fold.fold, batch, table=due.customers)
    reasons = [DeadLetter.of(message.headers).reason for message in on(sent, DEAD_LETTERS)]
    assert reasons == ["bad_field", "bad_field", "no_identifier"]
    assert list(changes) == [ANA_ID.encode()]


@pytest.fixture
async def watched(monkeypatch):
    """One owned partition with one customer in it, and what is published."""
    customer = Customer(customer_id=ANA_ID, clock_ms=5, received_ms=5, timers={"silence": 100})
    held, published = {ANA_ID.encode(): encode(customer)}, []

    async def publish(outbox):
        published.extend(outbox.messages)

    owned = Partition(Copy(MemoryStore(held)), epoch=1)
    monkeypatch.setitem(due.customers._partitions, 3, owned)
    monkeypatch.setattr(due.app, "publish", publish)
    due.watch(3)
    await asyncio.gather(*due._setting)
    yield held, published
    due.unwatch(3)


async def test_a_timer_that_is_due_is_appended_to_the_log_once(watched):
    _, published = watched
    assert await due.ring_once(3, 99) == 0
    assert await due.ring_once(3, 100) == 1
    assert await due.ring_once(3, 200) == 0
    assert [(one.topic, one.key) for one in published] == [(EVENTS, ANA_ID.encode())]
    assert decode_event(published[0].value) == fired(ANA_ID, 100, 100)


async def test_a_customer_that_came_back_is_not_rung(watched):
    held, _ = watched
    back = Customer(customer_id=ANA_ID, clock_ms=90, received_ms=90, timers={"silence": 190})
    held[ANA_ID.encode()] = encode(back)
    due.reset(3, [(ANA_ID.encode(), back)])
    assert await due.ring_once(3, 150) == 0
    assert await due.ring_once(3, 190) == 1


async def test_a_partition_that_was_lost_rings_nobody(watched):
    due.unwatch(3)
    assert await due.ring_once(3, 1_000) == 0
    due.reset(3, [])
