"""Where stock Faust loses, doubles or forgets, shown on its own code, and that the lane does not.

Each hole is shown twice: the stock behaviour as it is, and the lane in the same place.
When a new Faust closes one, its test fails here, and the lane may become simpler.
"""

import asyncio
from types import SimpleNamespace

import faust
import pytest
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.structs import TopicPartition
from faust.transport.producer import ProducerBuffer
from faust.types.tuples import TP

from models.topics import EVENTS, PROFILES, SCORES
from streams.lane import App, Batch, Outbox, Record
from streams.lane import app as apps
from streams.lane.conf import conf
from streams.lane.offsets import Offsets
from streams.lane.restore import MARK, Copy, mark
from streams.lane.store import MemoryStore

HERE = TP("events", 1)


class DiedError(BaseException):
    """What stands for the end of the process."""


@pytest.fixture
async def stock():
    return faust.App("stock", broker="kafka://127.0.0.1:1", store="memory://")


@pytest.fixture
async def consumer(stock):
    async def ignored(*_, **__):
        pass

    return stock.transport.create_consumer(
        callback=ignored, on_partitions_revoked=ignored, on_partitions_assigned=ignored
    )


@pytest.fixture
async def lane(make_settings, monkeypatch):
    """Return the lane's application, its table's partition 1 owned, and what it acknowledged."""
    settings = make_settings()
    app = App("holes", topics=[EVENTS, PROFILES, SCORES], **conf(settings))
    finished = []
    app._consumer = SimpleNamespace(finish=lambda batch, _: finished.append(batch.last))
    app.fence.begin(1, {(settings.topic(EVENTS), HERE.partition)})

    app.deaths = []

    def die(reason, error=None):
        app.deaths.append(reason)
        raise DiedError(reason)

    monkeypatch.setattr(apps, "die", die)
    return app, finished


def batch_of(app, last=7):
    batch = Batch("events", HERE.partition, (Record(last, b"k", b"v"),), app.fence.tenure)
    outbox = Outbox()
    outbox.send(SCORES, b"k", b"output")
    return batch, outbox


# A flush that is no barrier: an offset may be committed before what follows from it is sent.


async def test_stock_calls_messages_flushed_that_are_still_in_its_hands(stock):
    buffer = ProducerBuffer()
    buffer.app, sent, broker = stock, [], asyncio.Event()

    async def publish(message, wait):
        await broker.wait()
        sent.append(message)

    channel = SimpleNamespace(publish_message=publish)
    async with buffer:
        buffer.put(SimpleNamespace(message=SimpleNamespace(channel=channel)))
        while buffer.size:
            await asyncio.sleep(0)  # it has been taken, and waits for the broker
        await buffer.flush()
        assert sent == []
        broker.set()


async def test_the_lane_acknowledges_only_what_the_brokers_have(lane, monkeypatch):
    app, finished = lane
    broker = asyncio.Event()

    async def publish(_):
        await broker.wait()

    monkeypatch.setattr(app.publisher, "publish", publish)
    completing = asyncio.create_task(app.complete(*batch_of(app)))
    for _ in range(20):
        await asyncio.sleep(0)
    assert finished == []
    broker.set()
    assert await completing
    assert finished == [7]


# A write that failed: logged by stock, and the offset committed all the same.


async def test_stock_only_logs_a_write_that_failed_and_its_flush_succeeds(stock, caplog):
    topic, failed = stock.topic("out"), asyncio.get_running_loop().create_future()
    failed.set_exception(OSError("the broker refused"))
    message = SimpleNamespace(set_exception=lambda _: None, message=SimpleNamespace(channel=topic))
    topic._on_published(failed, message=message, producer=None, state=None)
    assert "the broker refused" in caplog.text

    accumulator = MessageAccumulator(None, 1000, 0, 30)
    place = TopicPartition("out", 0)
    batch = accumulator._append_batch(accumulator.create_builder(), place)
    batch.failure(OSError("the broker refused"))
    await accumulator.flush()  # what stock waits for before it commits
    assert batch.future.exception() is not None


async def test_the_lane_ends_with_a_write_that_failed_and_acknowledges_nothing(lane, monkeypatch):
    app, finished = lane

    async def publish(_):
        raise OSError("the broker refused")

    monkeypatch.setattr(app.publisher, "publish", publish)
    with pytest.raises(DiedError, match="cannot publish"):
        await app.complete(*batch_of(app))
    assert finished == []


# A revoked partition: stock forgets what was done before it could be committed.


async def test_stock_has_nothing_left_to_commit_when_partitions_are_revoked(consumer):
    committable = []

    async def revoked(_):  # where stock waits for its streams and commits
        committable.append(consumer._new_offset(HERE))

    consumer._on_partitions_revoked = revoked
    consumer._acked[HERE], consumer._committed_offset[HERE] = [5, 6, 7], 4
    await consumer.on_partitions_revoked({HERE})
    assert committable == [None]


async def test_the_lane_commits_what_is_done_before_it_forgets_it(make_settings):
    app = App("holes", topics=[EVENTS], **conf(make_settings()))
    committable = []

    async def revoked(_):
        committable.append(own._new_offset(HERE))

    async def ignored(*_, **__):
        pass

    own = app.transport.create_consumer(
        callback=ignored, on_partitions_revoked=revoked, on_partitions_assigned=ignored
    )
    own.offsets.begin({HERE: 5})
    own.offsets.handed_out(HERE, 7)
    own.offsets.finished(HERE, 7)
    await own.on_partitions_revoked({HERE})
    assert committable == [8]
    assert own._new_offset(HERE) is None


# Acknowledgements out of order: stock commits past a message that is still at work.


async def test_stock_commits_past_a_message_that_is_not_processed(consumer):
    consumer._committed_offset[HERE] = 5  # so 5 is the first that is not processed
    consumer._acked[HERE] = [6]  # and 6 was quicker
    assert consumer._new_offset(HERE) == 7


def test_the_lane_commits_only_what_is_done_with_all_before_it():
    offsets = Offsets()
    offsets.begin({HERE: 5})
    offsets.handed_out(HERE, 5)
    offsets.handed_out(HERE, 6)
    offsets.finished(HERE, 6)
    assert offsets.done(HERE) == 5


# Recovery: falsy values and late writes.


def event_of(key, value):
    message = SimpleNamespace(value=value, partition=0)
    return SimpleNamespace(key=key, value=value, message=message)


def stock_store(stock, *events):
    table = stock.Table("t", key_type=bytes, value_type=bytes)
    table.data.apply_changelog_batch(
        [event_of(*one) for one in events], lambda key: key, lambda value: value
    )
    return table.data.data


def lane_store(*records):
    copy = Copy(MemoryStore())
    copy.take([Record(0, key, value, headers, 2**45) for key, value, headers in records], 9)
    return {key: copy.store.contents.get(key) for key in (b"a", b"b")}, copy.overtaken


async def test_stock_forgets_an_empty_value_that_was_written_after_a_deletion(stock):
    assert stock_store(stock, (b"a", None), (b"a", b"")) == {}


def test_the_lane_keeps_an_empty_value_that_was_written_after_a_deletion():
    ours = ((MARK, mark(1, 0)),)
    assert lane_store((b"a", None, ours), (b"a", b"", ours))[0][b"a"] == b""


async def test_stock_believes_whoever_wrote_last_a_paused_worker_included(stock):
    assert stock_store(stock, (b"a", b"owner's"), (b"a", b"zombie's"))[b"a"] == b"zombie's"


def test_the_lane_believes_the_newest_owner_and_knows_what_to_write_again():
    zombie, owner = ((MARK, mark(1, 0)),), ((MARK, mark(2, 0)),)
    found, overtaken = lane_store((b"a", b"owner's", owner), (b"a", b"zombie's", zombie))
    assert found[b"a"] == b"owner's"
    assert overtaken == {b"a"}


# A message that cannot be processed: dropped by stock, and the stream goes on without it.


async def test_stock_acknowledges_a_message_that_its_agent_failed_on(stock):
    handed, done = [], []

    @stock.agent(stock.topic("in", value_type=bytes))
    async def agent(stream):
        async for event in stream.events():
            handed.append(event.message)
            if event.value == b"bad":
                raise ValueError("poison")
            done.append(event.value)

    stock.finalize()
    async with agent.test_context() as context:
        for value in (b"good", b"bad", b"next"):
            await context.put(value, wait=False)
        for _ in range(500):
            await asyncio.sleep(0)
    assert b"bad" not in done
    assert [message.acked for message in handed[:2]] == [True, True]  # nobody will see it again


async def test_the_lane_ends_with_a_message_that_its_agent_failed_on(lane):
    app, finished = lane

    async def failing(batches):
        async for _ in batches:
            raise ValueError("poison")

    async def stream():
        yield batch_of(app)[0]
        await asyncio.sleep(3600)

    app.flow_control.resume()
    run = asyncio.create_task(app._guarded("count", "events", failing)(stream()))
    for _ in range(20):
        await asyncio.sleep(0)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert app.deaths[0] == "agent count failed"
    assert finished == []
