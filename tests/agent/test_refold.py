"""Reading again: who waits, one pass for all of them, and nothing for a partition that is lost."""

import pytest
from msgspec.structs import replace

from models.customer import Customer, Regroup, decode, encode
from models.events import CustomerRegrouped, Identifier, decode_event, encode_event
from models.events.codec import made
from models.identity import customer_id_of, identify
from models.metrics import REFOLD_METRICS
from models.reaction import Position
from models.regroup import part
from models.topics import EVENTS
from streams import due, refold
from streams.lane import Record
from streams.lane.pages import gauges
from tests.support.histories import ANA, NOON, event

HERE = 3
BEN = Identifier(type="user_id", value="ben")
ANA_ID, BEN_ID = customer_id_of(ANA), customer_id_of(BEN)
ANA_KEY, BEN_KEY = ANA_ID.encode(), BEN_ID.encode()


def regrouped(customer_id, generation=7):
    return made(
        CustomerRegrouped,
        event_id=f"regrouped:u1:{customer_id}",
        occurred_at=NOON,
        received_at=NOON,
        customer_id=customer_id,
        root=customer_id,
        generation=generation,
        others=0,
        unmerge_id="u1",
        by="kim",
        reason="two",
    )


class Log:
    """A partition of the log, and what is appended to it."""

    def __init__(self):
        self.records = []
        self.appended = []
        self.reads = []  # where each reading was to end
        self.meanwhile = lambda: None

    def append(self, key, event):
        self.records.append(Record(len(self.records), key, encode_event(event)))
        return len(self.records) - 1

    def own(self, who, id):
        told = identify(event(id=id, who=(who,)), "touchpoints/0", len(self.records))
        return self.append(customer_id_of(who).encode(), told)

    async def history(self, brokers, place, end):
        assert place == (EVENTS.name, HERE)
        self.reads.append(end)
        for start in range(0, end, 4):  # short portions
            self.meanwhile()
            stop = min(start + 4, end)
            yield stop, [one for one in self.records if start <= one.offset < stop]

    async def publish(self, outbox):
        self.appended += [decode_event(message.value) for message in outbox.messages]
        assert {message.topic for message in outbox.messages} == {EVENTS}


@pytest.fixture
def log(monkeypatch):
    log = Log()
    monkeypatch.setattr(refold, "history", log.history)
    monkeypatch.setattr(refold.app, "publish", log.publish)
    monkeypatch.setattr(refold.app, "prefix", "")
    monkeypatch.setattr(refold, "REST", 0.0)
    refold.begin(HERE)
    yield log
    refold.forget(HERE)


async def read():
    waits = refold._waits[HERE]
    for _ in range(3):
        if waits.unread():
            await refold.read(HERE, waits)
    assert not waits.unread()


def own_of(log, customer_id, until):
    own = [decode_event(r.value) for r in log.records[:until] if r.key == customer_id.encode()]
    return part(customer_id, [(Position("events", 0, n), one) for n, one in enumerate(own)])


async def test_all_who_wait_are_read_in_one_pass_each_up_to_its_own_regrouping(log):
    for number in range(5):
        log.own(ANA, f"a{number}")
        log.own(BEN, f"b{number}")
    ana = log.append(ANA_KEY, regrouped(ANA_ID))
    log.own(ANA, "a5")  # folded live
    log.own(BEN, "b5")
    ben = log.append(BEN_KEY, regrouped(BEN_ID))
    log.own(BEN, "b6")
    refold.note(HERE, ANA_KEY, ana)
    refold.note(HERE, BEN_KEY, ben)
    await read()
    assert log.reads == [ben + 1]
    first, second = log.appended
    assert (first.customer_id, first.until, first.generation) == (ANA_ID, ana, 7)
    assert (second.customer_id, second.until) == (BEN_ID, ben)
    assert decode(first.state) == own_of(log, ANA_ID, ana)
    assert decode(first.state).profile.events == 5
    assert decode(second.state).profile.events == 6


async def test_a_second_reading_says_the_same(log):
    log.own(ANA, "a0")
    refold.note(HERE, ANA_KEY, log.append(ANA_KEY, regrouped(ANA_ID)))
    await read()
    refold.begin(HERE)  # as a new owner
    refold.note(HERE, ANA_KEY, 1)
    await read()
    first, second = log.appended
    assert encode_event(first) == encode_event(second)


async def test_who_was_told_is_not_read_again_unless_regrouped_again(log):
    log.own(ANA, "a0")
    until = log.append(ANA_KEY, regrouped(ANA_ID))
    refold.note(HERE, ANA_KEY, until)
    await read()
    refold.note(HERE, ANA_KEY, until)  # it changed, and the fold has not come to its part yet
    await read()
    assert len(log.appended) == 1
    refold.note(HERE, ANA_KEY, log.append(ANA_KEY, regrouped(ANA_ID, generation=9)))
    await read()
    assert [one.generation for one in log.appended] == [7, 9]
    refold.note(HERE, ANA_KEY, None)
    assert refold.status()["waiting"] == 0


async def test_who_comes_during_a_pass_gets_the_next_one(log):
    log.own(ANA, "a0")
    log.own(BEN, "b0")
    ana = log.append(ANA_KEY, regrouped(ANA_ID))
    ben = log.append(BEN_KEY, regrouped(BEN_ID))
    log.meanwhile = lambda: refold.note(HERE, BEN_KEY, ben)
    refold.note(HERE, ANA_KEY, ana)
    await read()
    assert log.reads == [ana + 1, ben + 1]
    assert [one.customer_id for one in log.appended] == [ANA_ID, BEN_ID]


async def test_nothing_is_appended_for_a_partition_that_is_lost(log):
    for number in range(5):
        log.own(ANA, f"a{number}")
    refold.note(HERE, ANA_KEY, log.append(ANA_KEY, regrouped(ANA_ID)))
    log.meanwhile = lambda: refold.forget(HERE)
    await refold.read(HERE, refold._waits[HERE])
    assert log.appended == []
    refold.begin(HERE)  # it comes back, with others who wait
    assert refold._waits[HERE].unread() == {}


async def test_a_worker_that_is_told_to_stop_appends_nothing_more(log, monkeypatch):
    for number in range(5):
        log.own(ANA, f"a{number}")
    refold.note(HERE, ANA_KEY, log.append(ANA_KEY, regrouped(ANA_ID)))
    alarms = due._alarms[HERE] = due.Alarms()
    alarms.set(ANA_KEY, 1)
    monkeypatch.setattr(type(refold.app), "should_stop", True)
    await refold.read(HERE, refold._waits[HERE])
    assert log.appended == []
    assert await due.ring_once(HERE, 2) == 0  # its table may be closed by now
    due.unwatch(HERE)


async def test_what_is_no_event_is_passed_over_and_a_missing_regrouping_is_not(log):
    log.own(ANA, "a0")
    log.records.append(Record(1, ANA_KEY, b"{"))
    log.records.append(Record(2, ANA_KEY, None))
    refold.note(HERE, ANA_KEY, log.append(ANA_KEY, regrouped(ANA_ID)))
    await read()
    assert decode(log.appended[0].state).profile.events == 1
    refold.note(HERE, ANA_KEY, log.own(ANA, "a1"))
    with pytest.raises(LookupError, match="events/3/4"):
        await read()


async def test_a_log_whose_beginning_is_gone_is_told_of(log, caplog):
    for number in range(5):
        log.own(ANA, f"a{number}")
    refold.note(HERE, ANA_KEY, log.append(ANA_KEY, regrouped(ANA_ID)))
    await read()
    assert caplog.text == ""
    del log.records[:2]
    refold.note(HERE, ANA_KEY, None)
    refold.note(HERE, ANA_KEY, 5)
    await read()
    assert "events/3 begins at 2" in caplog.text


async def test_the_status_tells_how_far_a_pass_is(log):
    told = []
    log.meanwhile = lambda: told.append(refold.status())
    for number in range(7):
        log.own(ANA, f"a{number}")
    refold.note(HERE, ANA_KEY, log.append(ANA_KEY, regrouped(ANA_ID)))
    await read()
    assert [one["left"] for one in told] == [8, 4]
    assert told[0] == {"waiting": 1, "partition": HERE, "reading": 1, "left": 8}
    assert refold.status() == {"waiting": 1, "partition": None, "reading": 0, "left": 0}
    told = gauges(REFOLD_METRICS, told[1]).splitlines()
    assert told[2::3] == ["c360_refold_waiting_customers 1", "c360_refold_left_events 4"]


@pytest.mark.parametrize(
    ("regroup", "wanted"),
    [(Regroup(5, 0), {ANA_KEY: 5}), (Regroup(-1, 0), {}), (Regroup(-2, 3), {}), (None, {})],
)
async def test_who_waits_is_told_by_the_state_at_a_start_and_by_each_change(
    log, monkeypatch, regroup, wanted
):
    customer = Customer(customer_id=ANA_ID, regroup=regroup)

    async def scan(_):
        yield [(ANA_KEY, encode(customer))]

    monkeypatch.setattr(due.customers, "scan", scan)
    alarms = due._alarms[HERE] = due.Alarms()
    await due.set_all(HERE, alarms)
    assert refold._waits[HERE].unread() == wanted
    due.reset(HERE, [(ANA_KEY, replace(customer, regroup=None))])
    assert refold._waits[HERE].unread() == {}
    due.reset(HERE, [(ANA_KEY, customer)])
    assert refold._waits[HERE].unread() == wanted
    due.unwatch(HERE)
    assert HERE not in refold._waits
