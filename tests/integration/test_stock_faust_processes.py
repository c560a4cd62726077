"""Holes of stock Faust that processes and a broker show, and the lane in the same place.

Faust 0.15.3 does recover from a changelog that was compacted, or whose records were all deleted.
"""

import asyncio
import json
import signal
from contextlib import contextmanager
from functools import partial

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient

from infra.admin import create_topics
from models.topics import PROFILES
from streams.lane.restore import MARK, mark
from tests.support.counting import WORKER, committed, counted, events, produce
from tests.support.kafka_log import COMPACTED_SOON, configure, newest, read_all, send
from tests.support.waiting import until

pytestmark = pytest.mark.stack

STOCK = "tests.support.stock_worker"


@pytest.fixture
def settings(make_settings, broker):
    """Settings with one partition, its topics made."""
    made = make_settings(kafka=broker, partitions=1)
    create_topics(made)
    return made


@pytest.fixture
def notes(tmp_path, monkeypatch):
    """Return a function that gives what the workers noted so far."""
    path = tmp_path / "notes"
    path.touch()
    monkeypatch.setenv("NOTES", str(path))
    return lambda: path.read_text().splitlines()


def changelog_of(settings, **config):
    """Make the topic to which stock Faust writes its table, and return its name."""
    name = f"{settings.topic_prefix}stock-counts-changelog"
    admin = KafkaAdminClient(bootstrap_servers=settings.brokers)
    config = {"cleanup.policy": "compact"} | config
    admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1, "configs": config}})
    admin.close()
    return name


async def in_transactions(settings, topic, rows):
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.brokers, transactional_id=settings.topic_prefix + "tx"
    )
    await producer.start()
    for key, value in rows:
        async with producer.transaction():
            await producer.send(topic, value, key=key)
    await producer.stop()


@contextmanager
def coming_to_the_point():
    """Skip the test when stock Faust does not get there: how soon is not ours to promise."""
    try:
        yield
    except AssertionError as late:
        pytest.skip(f"stock Faust did not come to the point: {late}")


def stuck(part):
    """Wait until stock Faust says itself that its recovery waits for what does not come."""
    with coming_to_the_point():
        until(lambda: "No event received for active tp" in part.tail(400), 120, part.tail())


# Recovery that waits for its changelog's last offset, where no record is.


def test_stock_waits_for_ever_behind_a_transactions_marker(settings, start_part, notes):
    changelog = changelog_of(settings)
    asyncio.run(in_transactions(settings, changelog, [(b"key-0", b"5")]))
    asyncio.run(produce(settings, events(1, keys=1)))
    part = start_part(settings, STOCK)
    stuck(part)
    assert notes() == []
    send(settings.brokers, changelog, [(b"key-1", b"7")])  # what alone it waited for
    with coming_to_the_point():
        said = until(lambda: [line for line in notes() if "counted" in line], 120, part.tail())
    assert said == [f"{settings.instance} counted 6"]


def test_the_lane_goes_on_behind_a_transactions_marker(settings, start_part):
    known = b'{"n":5,"total":0,"offset":-1}'
    asyncio.run(in_transactions(settings, settings.topic(PROFILES), [(b"key-0", known)]))
    asyncio.run(produce(settings, events(1, keys=1)))
    part = start_part(settings, WORKER)
    until(lambda: counted(settings) == {b"key-0": 6}, 120, part.tail())


# A message that cannot be read, in the hands of an agent that takes several at a time.


def test_stock_ends_an_agent_that_takes_and_the_worker_stays_as_if_well(
    settings, start_part, notes, monkeypatch
):
    monkeypatch.setenv("MODE", "take")
    part = start_part(settings, STOCK)
    asyncio.run(produce(settings, [*events(4), (b"key-0", b"{"), *events(5)]))
    with coming_to_the_point():
        until(lambda: any("ended" in line for line in notes()), 120, part.tail())
    asyncio.run(produce(settings, events(10)))
    assert part.stop(120) == 0, part.tail()  # it was alive all the while
    assert notes() == [f"{settings.instance} {said}" for said in (0, 1, 2, 3, "ended")]
    assert committed(settings, "stock") == {0: 5}  # of 20, and the fifth was processed by nobody


def test_the_lane_ends_with_a_message_that_its_agent_cannot_take(settings, start_part):
    part = start_part(settings, WORKER)
    asyncio.run(produce(settings, [*events(4), (b"key-0", b"{"), *events(5)]))
    assert part.process.wait(120) == 70, part.tail()
    assert committed(settings).get(0, 0) <= 4  # whoever comes next meets it again


# A worker that stands still beyond its session, and goes on as if nothing had been.


@pytest.fixture
def zombie(settings, start_part, monkeypatch):
    """Return a function that makes one; see `_zombie`."""
    return partial(_zombie, settings, start_part, partial(monkeypatch.setenv, "PAUSE"))


def _zombie(settings, start_part, pause, module, paces, total, count_of, finished):
    """Stop one worker in mid-stream, let another process all, let the first go on. Return both.

    `paces`: the pauses of both. The first has to be slow: it is stopped some time after it has
    come so far, and must not have come to the end by then.
    """
    slow, quick = paces
    second = settings.model_copy(update={"instance": "w2", "worker_port": settings.ingest_port})
    asyncio.run(produce(settings, events(total, keys=1)))
    pause(slow)
    one = start_part(settings, module, instance="w1")
    until(lambda: count_of("w1") >= 3, 120, one.tail())
    one.process.send_signal(signal.SIGSTOP)
    pause(quick)
    two = start_part(second, module)
    until(finished, 120, two.tail())
    assert one.process.poll() is None
    one.process.send_signal(signal.SIGCONT)
    return one, two


def at_last(settings, topic, reached):
    """Have a changelog compacted to what `reached` says, and return its newest values."""
    configure(settings.brokers, topic, COMPACTED_SOON)

    def compacted():
        send(settings.brokers, topic, [(b"rolls the segment", b"0")])
        return reached(read_all(settings.brokers, topic))

    until(compacted, 120, "the broker compacts")
    return newest(settings.brokers, topic)


def test_stock_lets_a_zombie_write_over_its_successor_and_compaction_forgets_the_truth(
    settings, zombie, notes
):
    changelog = changelog_of(settings)
    last = lambda: int(newest(settings.brokers, changelog)[b"key-0"])  # noqa: E731

    def counts(name):
        return [int(line.split()[-1]) for line in notes() if line.startswith(f"{name} counted")]

    def finished():  # only then is what the zombie writes the last of all
        return committed(settings, "stock").get(0) == 25 and last() == counts("w2")[-1]

    with coming_to_the_point():
        one, two = zombie(STOCK, ("2", "0.2"), 25, lambda name: len(counts(name)), finished)
        truth = counts("w2")[-1]
        until(lambda: last() < truth, 120, "the zombie's write")
    one.kill()
    two.kill()
    kept = at_last(settings, changelog, lambda found: sum(r.key == b"key-0" for r in found) == 1)
    assert int(kept[b"key-0"]) < truth  # of what was counted and committed


def test_the_lane_lets_no_zombie_write_and_covers_what_one_wrote_before_compaction_comes(
    settings, zombie, monkeypatch
):
    monkeypatch.setenv("SESSION", "12")
    changelog = settings.topic(PROFILES)
    finished = lambda: committed(settings, "counting").get(0) == 5_000  # noqa: E731
    # Ten batches.
    one, two = zombie(WORKER, ("4", "0.2"), 5_000, lambda _: counted(settings).total(), finished)
    assert one.process.wait(120) == 70, one.tail()
    assert counted(settings) == {b"key-0": 5_000}
    # One that was on its way when the fence closed: last on the log, and of an earlier owner.
    stale = (b"key-0", b'{"n":3,"total":3,"offset":2}', [(MARK, mark(1, 2))])
    send(settings.brokers, changelog, [stale])
    asyncio.run(produce(settings, [(b"other", b'{"value":1}')]))
    until(lambda: counted(settings)[b"other"] == 1, 120, two.tail())
    # What covers it is written once the batch is: who died between leaves it to the next owner.
    last = lambda: json.loads(newest(settings.brokers, changelog)[b"key-0"])  # noqa: E731
    until(lambda: last()["n"] == 5_000, 120, two.tail())
    two.kill()
    at_last(settings, changelog, lambda found: sum(r.key == b"key-0" for r in found) == 1)
    assert counted(settings)[b"key-0"] == 5_000
