"""The end of a run: all is processed, and everybody stops."""

import time
from collections import Counter
from collections.abc import Callable

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec

from infra.admin import client
from infra.group import members, worker_group
from infra.settings import Settings
from models import topics
from tests.chaos.soak.crew import Crew
from tests.support.waiting import until

READ = (
    *(topics.TOUCHPOINTS, topics.IDENTITY_LINKS, topics.EVENTS, topics.EXAMPLES),
    topics.ALERTS,
)
SETTLE = 240.0  # seconds until all must have been processed, once the chaos is over
LOOK = 0.4  # seconds between two looks
QUIET = 1.5  # seconds without change: timers look every second

Ends = dict[tuple[str, int], int]


def settle(settings: Settings, crew: Crew, done: Callable[[], bool], tick: Callable) -> None:
    """Wait until all is processed, then stop everybody; again, if something came meanwhile.

    `done` is asked when nothing is left to be read, `tick` is called all the time.
    """
    end = time.monotonic() + SETTLE
    group = worker_group(settings)
    while True:
        _wait_quiet(settings, crew, done, tick, end)
        crew.stop_all()
        # Who was killed and did not come back to the group is in it until its session ends.
        until(lambda: not members(settings, group), 60, "the group is empty")
        left, _ = behind(settings)
        if not left:
            return
        crew.add()


def behind(settings: Settings) -> tuple[dict[str, int], Ends]:
    """Return how much of each topic is not committed as processed, and where each ends."""
    group = worker_group(settings)
    with client(settings) as admin:
        ends = _ends(admin, settings)
        committed = admin.list_group_offsets({group: None})[group]
    done = {(place.topic, place.partition): at.offset for place, at in committed.items()}
    left: Counter[str] = Counter()
    for place, end in ends.items():
        left[place[0]] += end - max(done.get(place, 0), 0)
    return {topic: count for topic, count in left.items() if count}, ends


def _wait_quiet(
    settings: Settings, crew: Crew, done: Callable[[], bool], tick: Callable, end: float
) -> None:
    since, before = time.monotonic(), None
    while time.monotonic() - since < QUIET:
        pause = time.monotonic() + LOOK
        while time.monotonic() < pause:
            tick()
        left, now = behind(settings)
        if left or now != before or not crew.up() or not done():
            since, before = time.monotonic(), now
        if time.monotonic() > end:
            tails = "\n".join(crew.tail(one, 25) for one in crew.workers)
            raise AssertionError(f"not done after {SETTLE:.0f} s, left: {left}\n{tails}")


def _ends(admin: KafkaAdminClient, settings: Settings) -> Ends:
    """Return where each partition that a worker reads ends."""
    spots = [
        TopicPartition(settings.topic(topic), number)
        for topic in READ
        for number in range(topic.partitions or settings.partitions)
    ]
    found = admin.list_partition_offsets(dict.fromkeys(spots, OffsetSpec.LATEST))
    return {(spot.topic, spot.partition): found[spot].offset for spot in spots}
