"""What a seed says, sent in its order, to workers that lag behind.

A word to part two that overtakes what joins them parts nobody. So who is to be parted is
looked for on the log: somebody who is merged by then, and has done something himself.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from infra.errors import UserError
from infra.settings import Settings
from models.events import decode_event
from models.regroup import is_direct
from models.topics import EVENTS
from tests.chaos.soak.settle import LOOK, behind
from tests.chaos.soak.world import Message, Parting

PORTION = 40  # messages sent at once
FLUSH = 180.0  # seconds: a broker that is killed takes a minute to be back on a busy machine
PATIENCE = 120.0  # seconds, when all else was sent, for those who wait until somebody is merged
LOOK_MS = 30


def send(settings: Settings, said: Sequence[Message | Parting], seconds: float) -> None:
    """Send all, in so many seconds or more. Raises KafkaError.

    Who says that two be parted waits until there are two; the stream goes on meanwhile.
    """
    merged, waiting = Merged(settings), list[Parting]()
    with closing(merged), closing(KafkaProducer(bootstrap_servers=settings.brokers)) as producer:

        def put(one: Message) -> None:
            producer.send(settings.topic(one.topic), one.value, one.key)

        def part() -> None:
            merged.look()
            while waiting and (who := merged.choose(waiting[0].pick)):
                put(waiting.pop(0).of(who))
            producer.flush(FLUSH)

        for start in range(0, len(said), PORTION):
            for one in said[start : start + PORTION]:
                if isinstance(one, Parting):
                    waiting.append(one)
                else:
                    put(one)
            part()
            time.sleep(seconds * PORTION / len(said))
        _part_the_rest(settings, merged, waiting, part)


def _part_the_rest(
    settings: Settings, merged: "Merged", waiting: list[Parting], part: Callable[[], None]
) -> None:
    """Go on with those who wait, until nobody will be merged any more."""
    end = time.monotonic() + PATIENCE
    while waiting and time.monotonic() < end:
        over, before = _is_over(settings, merged), len(waiting)
        part()
        if over and len(waiting) == before:
            return
        time.sleep(LOOK)


def _is_over(settings: Settings, merged: "Merged") -> bool:
    """Tell whether what was sent merges nobody any more; not while brokers are away."""
    try:
        return not behind(settings)[0] and merged.is_level()
    except (KafkaError, UserError):
        return False


class Merged:
    """Who hangs on somebody else, and has done something himself, as the log says by now."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = KafkaConsumer(
            bootstrap_servers=settings.brokers, auto_offset_reset="earliest"
        )
        topic = settings.topic(EVENTS)
        self._consumer.assign([TopicPartition(topic, n) for n in range(settings.partitions)])
        self._hang: set[str] = set()
        self._did: set[str] = set()

    def choose(self, pick: float) -> str | None:
        """Return one of them, None when there is none: nobody twice, until he is merged again.

        `pick`, in [0, 1), says which.
        """
        found = sorted(self._hang & self._did)
        if not found:
            return None
        chosen = found[int(pick * len(found))]
        self._hang.remove(chosen)
        return chosen

    def look(self) -> None:
        """Take in what has come."""
        for records in self._consumer.poll(timeout_ms=LOOK_MS).values():
            for record in records:
                self._take(record.value)

    def is_level(self) -> bool:
        """Take in what has come, and tell whether that is all of the log."""
        self.look()
        ends = self._consumer.end_offsets(self._consumer.assignment())
        return all(self._consumer.position(spot) >= end for spot, end in ends.items())

    def close(self) -> None:
        """Read no more."""
        self._consumer.close()

    def _take(self, value: bytes) -> None:
        event = decode_event(value)
        id = event.customer_id
        if event.type == "customer_merged":
            self._hang.add(id)
        elif event.type == "customer_regrouped":
            self._hang -= {id}
            self._hang |= {id} - {event.root}
        elif is_direct(event):
            self._did.add(id)
