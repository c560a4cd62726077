"""Workers that come and go under load: only what must move is moved, and all is counted once."""

import asyncio
import signal
import threading
from collections import defaultdict
from contextlib import contextmanager

import pytest

from infra.admin import create_topics
from infra.errors import UserError
from infra.group import members
from infra.local import ports
from models.topics import SCORES
from tests.support.counting import WORKER, committed, counted, events, produce, status
from tests.support.kafka_log import read_all
from tests.support.waiting import until

pytestmark = pytest.mark.stack

PARTITIONS = 10
KEYS = 60
PORTION = 200


@pytest.fixture
def settings(make_settings, broker, request):
    state = getattr(request, "param", "memory")
    made = make_settings(kafka=broker, partitions=PARTITIONS, state=state)
    create_topics(made)
    return made


class Crew:
    """Counting workers by name, and what they noted."""

    def __init__(self, settings, start_part, notes):
        self.settings = settings
        self.parts = {}
        self._start_part = start_part
        self._notes = notes
        self._at = {}

    def start(self, *names):
        for name in names:
            self._at[name] = self.settings.model_copy(
                update={"instance": name, "worker_port": ports.free_port()}
            )
            self.parts[name] = self._start_part(self._at[name], WORKER)
        self.settle()

    def stop(self, name):
        assert self.parts[name].stop() == 0, self.parts[name].tail()
        del self.parts[name]
        self.settle()

    def settle(self):
        """Wait until all partitions are shared out among those that run, and recovered."""

        def settled():
            told = {name: status(self._at[name]) for name in self.parts}
            return (
                all(one.get("ready") for one in told.values())
                and len({one["generation"] for one in told.values()}) == 1
                and sum(len(one["tables"]["counts"]) for one in told.values()) == PARTITIONS
            )

        until(settled, 120, "\n".join(part.tail() for part in self.parts.values()))

    def share(self, name):
        return len(self.told(name)["tables"]["counts"])

    def told(self, name):
        """Return what a worker says of itself, when it is not too busy to say."""
        return until(lambda: status(self._at[name]), 120, self.parts[name].tail())

    def shares(self):
        return sorted(self.share(name) for name in self.parts)

    def moved(self):
        """Return, by worker, how many partitions it got and lost since this was asked last."""
        counts = defaultdict(lambda: [0, 0])
        for line in self._notes.read_text().splitlines():
            name, what, *_ = line.split()
            counts[name][what == "revoked"] += 1
        self._notes.write_text("")
        return {name: tuple(two) for name, two in counts.items()}


@pytest.fixture
def crew(settings, start_part, tmp_path, monkeypatch):
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    monkeypatch.setenv("PAUSE", "0.01")
    monkeypatch.setenv("SESSION", "60")  # who was killed is back by then, however slow it starts
    return Crew(settings, start_part, tmp_path / "notes")


@contextmanager
def load(settings):
    """Send events until the block ends; the list holds how many were sent."""
    sent, over = [], threading.Event()

    def send():
        while not over.wait(0.1):
            asyncio.run(produce(settings, events(PORTION, KEYS, len(sent) * PORTION)))
            sent.append(PORTION)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield sent
    finally:
        over.set()
        sender.join()


def prove_exact(settings, total):
    until(lambda: sum(committed(settings).values()) == total, 120, "all committed")
    assert counted(settings).total() == total
    outputs = read_all(settings.brokers, settings.topic(SCORES))
    assert len({record.value for record in outputs}) == total


@pytest.mark.parametrize("settings", ["memory", "disk"], indirect=True)
def test_adding_and_removing_workers_under_load_moves_only_what_it_must(crew, settings):
    with load(settings) as sent:
        crew.start("w0", "w1")
        assert crew.shares() == [5, 5]
        crew.moved()
        for joins, shares in (("w2", [3, 3, 4]), ("w3", [2, 2, 3, 3])):
            crew.start(joins)
            assert crew.shares() == shares
            moved = crew.moved()
            gained, _ = moved.pop(joins)
            assert gained == shares[0]
            assert [some for some, _ in moved.values()] == [0] * len(moved)
            assert sum(lost for _, lost in moved.values()) == gained
        has = crew.share("w1")
        crew.stop("w1")
        assert crew.shares() == [3, 3, 4]
        moved = crew.moved()
        moved.pop("w1", None)
        assert sum(gained for gained, _ in moved.values()) == has
        assert sum(lost for _, lost in moved.values()) == 0
    prove_exact(settings, sum(sent))


@pytest.mark.parametrize("settings", ["memory", "disk"], indirect=True)
def test_a_killed_worker_that_comes_back_moves_nothing(crew, settings):
    with load(settings) as sent:
        crew.start("w0", "w1")
        before = {name: crew.told(name)["generation"] for name in crew.parts}
        crew.moved()
        crew.parts["w1"].kill()
        crew.start("w1")
        assert crew.moved() == {"w1": (5, 0)}
        assert {name: crew.told(name)["generation"] for name in crew.parts} == before
    prove_exact(settings, sum(sent))


def test_who_stops_leaves_the_group_at_once_and_who_is_interrupted_keeps_its_place(crew, settings):
    group = f"{settings.topic_prefix}counting"
    crew.start("w0", "w1")
    crew.moved()
    crew.parts["w1"].process.send_signal(signal.SIGINT)
    assert crew.parts["w1"].process.wait(120) == 0
    assert {one.instance for one in members(settings, group)} == {"w0", "w1"}
    crew.start("w1")
    assert crew.moved()["w1"] == (5, 0)
    crew.stop("w1")
    assert [(one.instance, len(one.places)) for one in members(settings, group)] == [
        ("w0", PARTITIONS)
    ]


def test_a_new_broker_has_no_members_and_one_that_is_gone_is_told(new_broker, make_settings):
    broker = new_broker()
    settings = make_settings(kafka=broker.bootstrap)
    assert members(settings, "nobody.worker", 3_000) == []
    broker.stop()
    with pytest.raises(UserError, match="does not answer"):
        members(settings, "nobody.worker", 1_000)
