"""The lane on a real broker: order, state, recovery, failures."""

import asyncio
import json
import random
from collections import Counter

import pytest
from aiokafka import AIOKafkaProducer

from models.topics import IDENTITIES, PROFILES, SCORES
from streams.lane.publisher import Publisher
from streams.lane.restore import MARK, mark
from tests.support.changelog import recovered
from tests.support.counting import (
    WORKER,
    committed,
    counted,
    events,
    produce,
    status,
    until_counted,
)
from tests.support.kafka_log import COMPACTED_SOON, configure, read_all
from tests.support.waiting import until

pytestmark = pytest.mark.stack


def test_every_event_is_counted_once_and_the_offsets_committed(kafka_settings, start_part):
    asyncio.run(produce(kafka_settings, events(5_000)))
    part = start_part(kafka_settings, WORKER)
    assert until_counted(kafka_settings, 5_000, part) == Counter(
        {b"key-%d" % number: 250 for number in range(20)}
    )
    until(lambda: sum(committed(kafka_settings).values()) == 5_000, 120, "offsets committed")

    def told():  # nothing, by one too busy to say
        step = status(kafka_settings).get("steps", {}).get("count", {})
        return [step.get(name) for name in ("events", "lag", "partitions")]

    until(lambda: told() == [5_000, 0, [0, 1, 2, 3]], 120, part.tail())
    assert part.stop() == 0


def test_every_codec_is_read_and_nulls_and_headers_reach_the_agent(kafka_settings, start_part):
    for codec in (None, "gzip", "snappy", "lz4", "zstd"):
        asyncio.run(produce(kafka_settings, events(100), codec))
    asyncio.run(produce(kafka_settings, [(None, b'{"value":1}'), (b"key-0", None)]))
    part = start_part(kafka_settings, WORKER)
    until(lambda: len(read_all(kafka_settings.brokers, kafka_settings.topic(SCORES))) >= 502, 120)
    outputs = read_all(kafka_settings.brokers, kafka_settings.topic(SCORES))
    ids = {value for record in outputs for name, value in record.headers if name == "id"}
    assert {
        b"%s-%d" % (codec, 7) for codec in (b"None", b"gzip", b"snappy", b"lz4", b"zstd")
    } <= ids
    assert part.stop() == 0
    totals = {
        record.key: json.loads(record.value)["n"]
        for record in read_all(kafka_settings.brokers, kafka_settings.topic(PROFILES))
    }
    assert totals[b"nobody"] == 1
    assert totals[b"key-0"] == 26


def test_a_restarted_worker_recovers_what_was_written_and_goes_on(
    state_settings, start_part, tmp_path, monkeypatch
):
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    asyncio.run(produce(state_settings, events(2_000, keys=50)))
    first = start_part(state_settings, WORKER)
    until_counted(state_settings, 2_000, first)
    first.kill()
    asyncio.run(produce(state_settings, events(2_000, keys=50)))
    second = start_part(state_settings, WORKER)
    assert until_counted(state_settings, 4_000, second) == Counter(
        {b"key-%d" % number: 80 for number in range(50)}
    )
    notes = (tmp_path / "notes").read_text().splitlines()
    assert sum(int(line.split()[3]) for line in notes if "recovered" in line) == 50


def test_a_batchs_changes_are_one_record_batch_where_they_must_be_there_together(kafka_settings):
    topic = kafka_settings.topic(IDENTITIES)
    chance = random.Random(0)  # nothing to pack: all of it is on the wire
    rows = [(b"k%d" % number, chance.randbytes(1_000), ()) for number in range(20_000)]

    async def write():
        publisher = Publisher(kafka_settings.brokers, kafka_settings.topic_prefix, {topic: 1})
        await publisher.start()
        await publisher.write({(topic, 0): rows}, whole=True)
        await publisher.stop()

    asyncio.run(asyncio.wait_for(write(), 60))
    copies = recovered(kafka_settings.brokers, topic, [0], 60)
    assert copies[0].store.contents == {key: value for key, value, _ in rows}


def test_recovery_ends_behind_transaction_markers_and_keeps_the_newest_owners_writes(
    kafka_settings,
):
    topic = kafka_settings.topic(PROFILES)

    async def write():
        producer = AIOKafkaProducer(
            bootstrap_servers=kafka_settings.brokers,
            transactional_id=kafka_settings.topic_prefix + "tx",
        )
        await producer.start()
        for epoch, key, value in [
            (5, b"kept", b""),
            (6, b"won", b"new"),
            (5, b"won", b"stale"),
            (6, b"gone", b"x"),
            (6, b"gone", None),
        ]:
            async with producer.transaction():
                await producer.send(
                    topic, value, key=key, partition=1, headers=[(MARK, mark(epoch, 0))]
                )
        await producer.stop()

    asyncio.run(asyncio.wait_for(write(), 60))
    copies = recovered(kafka_settings.brokers, topic, [0, 1])
    assert copies[1].store.contents == {b"kept": b"", b"won": b"new"}
    assert copies[1].overtaken == {b"won"}
    assert copies[0].store.contents == {}


def test_recovery_reads_a_compacted_changelog_to_its_end(kafka_settings, broker):
    topic = kafka_settings.topic(PROFILES)
    configure(broker, topic, COMPACTED_SOON)

    async def fill(rounds):
        producer = AIOKafkaProducer(bootstrap_servers=broker)
        await producer.start()
        for number in range(rounds):
            await producer.send_and_wait(topic, b"%d" % number, key=b"same", partition=0)
            await producer.send_and_wait(topic, None, key=b"dead", partition=0)
        await producer.stop()

    asyncio.run(fill(20))

    def compacted():
        asyncio.run(fill(1))  # rolls the segment, so that it can be compacted
        return len(read_all(broker, topic)) < 30

    until(compacted, 120, "the broker compacts")
    copies = recovered(broker, topic, [0])
    assert list(copies[0].store.contents) == [b"same"]


def test_a_revoked_partition_is_committed_so_nothing_is_processed_twice(
    state_settings, start_part, monkeypatch
):
    monkeypatch.setenv("COMMIT", "3600")  # only revocation and stopping commit
    first = start_part(state_settings, WORKER, instance="w1")
    asyncio.run(produce(state_settings, events(4_000)))
    until_counted(state_settings, 4_000, first)
    other = state_settings.model_copy(update={"worker_port": state_settings.ingest_port})
    second = start_part(other, WORKER, instance="w2")
    until(lambda: status(other).get("ready"), 120, second.tail())
    # State alone would hide a replay: every offset was committed when it was revoked.
    assert sum(committed(state_settings).values()) == 4_000
    asyncio.run(produce(state_settings, events(4_000)))
    until_counted(state_settings, 8_000, second)
    assert second.stop() == 0
    asyncio.run(produce(state_settings, events(4_000)))
    assert until_counted(state_settings, 12_000, first).total() == 12_000
    ids = Counter(
        (record.partition, record.offset)
        for record in read_all(state_settings.brokers, state_settings.topic(SCORES))
    )
    assert len(ids) == 12_000  # an output is sent again when its batch is: none was


@pytest.mark.parametrize("failure", [b"poison", b"too large"])
def test_a_failure_ends_the_process_with_the_offset_unacknowledged(
    kafka_settings, start_part, failure
):
    asyncio.run(produce(kafka_settings, [(b"key-0", b'{"value":1}')] * 10))
    part = start_part(kafka_settings, WORKER)
    until_counted(kafka_settings, 10, part)
    until(lambda: sum(committed(kafka_settings).values()) == 10, 120)
    asyncio.run(produce(kafka_settings, [(b"key-0", failure)]))
    assert part.process.wait(timeout=120) == 70, part.tail()
    assert "stopping at once" in part.tail(60)
    assert sum(committed(kafka_settings).values()) == 10


def test_a_batch_that_never_ends_is_found_by_the_watchdog(kafka_settings, start_part, monkeypatch):
    monkeypatch.setenv("PATIENCE", "3")
    asyncio.run(produce(kafka_settings, [(b"key-0", b"hang")]))
    part = start_part(kafka_settings, WORKER)
    assert part.process.wait(timeout=120) == 70, part.tail()
    assert "has not moved for 3 s" in part.tail(60)


def test_a_topic_of_another_width_stops_the_worker_with_what_to_do(kafka_settings, start_part):
    part = start_part(kafka_settings, WORKER, partitions=8)
    assert part.process.wait(timeout=120) == 78
    assert "has 4 partitions, not 8: set C360_PARTITIONS" in part.tail(60)


def test_missing_topics_stop_the_worker_with_what_to_do(make_settings, broker, start_part):
    part = start_part(make_settings(kafka=broker), WORKER)
    assert part.process.wait(timeout=120) == 78
    assert "is missing: `c360 topics --create` makes it" in part.tail(60)


def test_a_worker_stops_cleanly_when_asked_in_mid_stream(state_settings, start_part, monkeypatch):
    monkeypatch.setenv("PAUSE", "0.05")
    asyncio.run(produce(state_settings, events(20_000)))
    part = start_part(state_settings, WORKER)
    until(lambda: counted(state_settings).total() > 0, 120)
    assert part.stop() == 0
    assert sum(committed(state_settings).values()) == counted(state_settings).total()
