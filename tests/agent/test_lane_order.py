"""The order in `complete`: outputs, changelog, visible, and only then the source offset."""

import asyncio
import time
from dataclasses import replace

import pytest

from models.topics import EVENTS, PROFILES, SCORES
from streams.lane import App, Batch, Outbox, Record, disk, meter
from streams.lane import app as apps
from streams.lane import state as states
from streams.lane.conf import conf
from streams.lane.restore import MARK, mark
from streams.lane.store import Stamp

HERE = 1


class Recorder:
    """Stands where brokers are, to see what is asked of them and when."""

    def __init__(self):
        self.done = []
        self.end = 0  # of the changelog
        self.meanwhile = lambda: None
        self.whole = None

    async def publish(self, messages):
        self.done.append(("outputs", len(messages)))
        self.meanwhile()

    async def write(self, rows, *, whole=False):
        [((topic, partition), some)] = rows.items()
        self.whole = whole
        self.done.append(("changelog", topic, partition, [row[:2] for row in some]))
        self.end += len(some)
        self.meanwhile()
        return {(topic, partition): self.end}

    def finish(self, batch, topic):
        self.done.append(("offset", topic, batch.last))


@pytest.fixture(params=["memory", "disk"])
async def lane(make_settings, monkeypatch, request):
    settings = make_settings(state=request.param)
    monkeypatch.setattr(disk, "topic_ids", lambda brokers, topics: dict.fromkeys(topics, "id"))
    app = App("order", topics=[EVENTS, PROFILES, SCORES], **conf(settings))
    recorder = Recorder()
    table = app.StateTable("counts", source=EVENTS, changelog=PROFILES)
    monkeypatch.setattr(app.publisher, "publish", recorder.publish)
    monkeypatch.setattr(app.publisher, "write", recorder.write)
    app._consumer = recorder
    app.fence.begin(1, {(settings.topic(EVENTS), HERE)})
    await app.keeper.prepare()
    table.copy(HERE).store.apply({b"a": b"1"}, Stamp(0, 4))
    await table.adopt([HERE], 0)
    batch = Batch("events", HERE, (Record(7, b"a", b"x"),), tenure=app.fence.tenure)
    outbox = Outbox()
    outbox.send(SCORES, b"a", b"output")
    return app, table, batch, outbox, recorder


async def opened(table, batch):
    view = await table.open(batch)
    view.put(b"a", b"2")
    view.put(b"b", b"")
    return view


async def test_outputs_come_first_then_the_changelog_then_the_offset(lane):
    app, table, batch, outbox, recorder = lane
    seen = []
    recorder.meanwhile = lambda: seen.append(dict(table.partition(HERE)))
    assert await app.complete(batch, outbox, await opened(table, batch))
    changes = [(b"a", b"2"), (b"b", b"")]
    assert recorder.done == [
        ("outputs", 1),
        ("changelog", table.changelog, HERE, changes),
        ("offset", table.source, 7),
    ]
    assert seen == [{b"a": b"1"}] * 2  # nothing is visible before the broker has it
    assert table.partition(HERE) == {b"a": b"2", b"b": b""}


async def test_a_batch_of_an_ended_tenure_leaves_no_trace(lane):
    app, table, batch, outbox, recorder = lane
    view = await opened(table, batch)
    app.fence.end()
    assert not await app.complete(batch, outbox, view)
    assert recorder.done == []
    assert table.partition(HERE) == {b"a": b"1"}


async def test_a_batch_without_state_is_not_acknowledged_to_another_tenure_than_its_own(lane):
    app, table, batch, outbox, recorder = lane

    def moved():
        app.fence.end()
        app.fence.begin(2, {(table.source, HERE)})

    recorder.meanwhile = moved
    assert not await app.complete(batch, outbox)
    assert recorder.done == [("outputs", 1)]


@pytest.mark.parametrize("whole", [False, True])
async def test_a_table_is_written_whole_where_its_changelog_says_so(make_settings, whole):
    settings = make_settings()
    changelog = replace(PROFILES, whole=whole)
    app = App("whole", topics=[EVENTS, changelog], **conf(settings))
    table = app.StateTable("counts", source=EVENTS, changelog=changelog)
    recorder = app.publisher.write = Recorder().write
    app.fence.begin(1, {(settings.topic(EVENTS), HERE)})
    table.copy(HERE)
    await table.adopt([HERE], 0)
    assert await table.write(HERE, {b"a": b"1", b"b": b"2"})
    assert recorder.__self__.whole is whole


async def test_a_partition_lost_during_a_write_is_neither_visible_nor_acknowledged(lane):
    app, table, batch, outbox, recorder = lane
    recorder.meanwhile = app.fence.end
    assert not await app.complete(batch, outbox, await opened(table, batch))
    assert [entry[0] for entry in recorder.done] == ["outputs"]
    assert table.partition(HERE) == {b"a": b"1"}


async def test_a_failed_write_ends_the_process_and_acknowledges_nothing(lane, monkeypatch):
    app, table, batch, outbox, recorder = lane

    def fail():
        raise OSError("broker gone")

    class Died(BaseException):
        pass

    def die(reason, error):
        raise Died(reason)

    recorder.meanwhile = fail
    monkeypatch.setattr(apps, "die", die)
    with pytest.raises(Died):
        await app.complete(batch, outbox, await opened(table, batch))
    assert [entry[0] for entry in recorder.done] == ["outputs"]


async def test_a_batch_costs_the_time_that_its_agent_computed_not_what_others_took(
    lane, monkeypatch
):
    app, table, batch, outbox, _ = lane
    took = asyncio.Queue()
    app.flow_control.resume()
    monkeypatch.setattr(app.pace, "took", lambda *told: took.put_nowait(told))
    clock, waits, others = [2.0], asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(meter, "thread_time", lambda: clock[0])

    async def source():
        yield batch
        await asyncio.Event().wait()

    async def agent(batches):
        async for one in batches:
            clock[0] += 0.25
            waits.set()
            await others.wait()
            clock[0] += 0.5
            await app.complete(one, outbox, await opened(table, one))

    running = asyncio.create_task(app.partitions.run("events", source(), agent))
    await asyncio.wait_for(waits.wait(), 30)
    clock[0] += 100.0  # another's work, in this one's pause
    others.set()
    assert await asyncio.wait_for(took.get(), 30) == ("events", 1, 0.75, 2)
    running.cancel()


async def test_an_edit_waits_for_the_batch_in_hand_and_sees_what_it_wrote(lane):
    app, table, batch, outbox, _ = lane
    view = await opened(table, batch)

    async def edit():
        async with table.edit(HERE) as own:
            own.put(b"a", own.get(b"a") + b"!")

    waiting = asyncio.create_task(edit())
    await asyncio.sleep(0)
    assert not waiting.done()
    await app.complete(batch, outbox, view)
    await waiting
    assert table.partition(HERE)[b"a"] == b"2!"


async def test_a_write_to_a_partition_of_somebody_else_is_refused(lane):
    _, table, _, _, recorder = lane
    assert not await table.write(HERE + 1, {b"a": b"2"})
    assert recorder.done == []


async def test_a_new_owner_writes_again_what_a_stale_record_covers(lane):
    app, table, _, _, recorder = lane
    app.fence.begin(3, {(table.source, 2)})
    copy = table.copy(2)
    copy.store.apply({b"k": b"true"}, Stamp(8, 9))
    copy.overtaken |= {b"k", b"gone"}
    recorder.end = 8
    await table.adopt([2], now_ms=5)
    assert recorder.done == [
        ("changelog", table.changelog, 2, [(b"gone", None), (b"k", b"true")]),
    ]
    assert table.owned() == {2}
    assert (copy.overtaken, copy.store.stamp) == (set(), Stamp(10, 10))


async def test_the_stamp_follows_what_is_written(lane):
    app, table, batch, outbox, _ = lane
    copy = table._partitions[HERE].copy
    assert await app.complete(batch, outbox, await opened(table, batch))
    assert copy.store.stamp == Stamp(2, 5)
    await table.write(HERE, {b"a": None})
    assert copy.store.stamp == Stamp(3, 5)


@pytest.fixture
def between(monkeypatch):
    """Let the changelog hold these records from the stamp on, when it is read."""
    found = []

    async def catch_up(brokers, copies, wanted):
        for copy in copies.values():
            copy.take(found, copy.store.stamp.position + len(found))
        return True

    monkeypatch.setattr(states, "catch_up", catch_up)
    return found


def record(key, value, epoch):
    return Record(0, key, value, ((MARK, mark(epoch, 0)),), time.time_ns() // 1_000_000)


async def test_an_earlier_owner_s_late_write_is_covered_by_the_next_one(lane, between):
    app, table, batch, outbox, recorder = lane
    recorder.end = 2  # two records that are not ours
    between += [record(b"a", b"late", 4), record(b"c", b"late", 4)]
    between += [record(b"a", b"2", 5), record(b"b", b"", 5)]
    assert await app.complete(batch, outbox, await opened(table, batch))
    assert recorder.done[1][3] == [(b"a", b"2"), (b"b", b"")]
    assert recorder.done[2] == ("changelog", table.changelog, HERE, [(b"c", None)])
    assert table.partition(HERE) == {b"a": b"2", b"b": b""}
    assert table._partitions[HERE].copy.store.stamp == Stamp(5, 5)


async def test_a_newer_owner_s_write_ends_the_process(lane, between, monkeypatch):
    app, table, batch, outbox, recorder = lane
    recorder.end = 1
    between += [record(b"c", b"theirs", 6), record(b"a", b"2", 5), record(b"b", b"", 5)]

    class Died(BaseException):
        pass

    def die(reason, error=None):
        raise Died(reason)

    monkeypatch.setattr(states, "die", die)
    with pytest.raises(Died, match="newer owner"):
        await app.complete(batch, outbox, await opened(table, batch))
    assert recorder.done[-1][0] == "changelog"  # the offset is not acknowledged


async def test_what_was_given_up_is_kept_as_a_copy_until_it_is_retired(lane):
    app, table, _, _, _ = lane
    app.fence.begin(2, {(table.source, 2)})
    assert table.copies() == {HERE: 0}
    await table.retire({HERE})
    assert table.copies() == {HERE: 0}
    app.fence.begin(3, {(table.source, HERE)})
    await table.adopt([HERE], 0)
    assert (table.partition(HERE), table.copies()) == ({b"a": b"1"}, {})
    app.fence.begin(4, {(table.source, 2)})
    await table.retire(())
    assert table.copies() == {}


async def test_all_of_a_partition_can_be_gone_through_while_it_is_ours(lane):
    app, table, _, _, _ = lane
    assert [dict(some) async for some in table.scan(HERE)] == [{b"a": b"1"}]
    assert [some async for some in table.scan(HERE + 1)] == []
    await table.write(HERE, {b"%04d" % number: b"x" for number in range(1_200)})
    seen = []
    async for some in table.scan(HERE):
        seen += some
        app.fence.begin(2, {(table.source, 2)})
    assert len(seen) == 500


async def test_hooks_hear_of_partitions_that_come_and_go(lane):
    app, table, _, _, _ = lane
    heard = []
    table.on_recovered(lambda partition: heard.append(("recovered", partition)))
    table.on_revoked(lambda partition: heard.append(("revoked", partition)))
    app.fence.begin(2, {(table.source, HERE)})  # unbroken: kept, and not told
    assert table.owned() == {HERE}
    app.fence.begin(4, {(table.source, HERE)})  # a generation was missed: kept by nobody
    assert table.owned() == set()
    await table.adopt([HERE], 0)
    assert heard == [("revoked", HERE), ("recovered", HERE)]
