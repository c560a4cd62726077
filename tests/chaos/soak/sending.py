"""What a seed says, sent in its order, to workers that lag behind.

A word to part two that overtakes what joins them parts nobody. So who is to be parted is
looked for on the log: somebody who is merged by then, and has done something himself.
"""

import time
from collections.abc import Sequence
from contextlib import closing

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from infra.settings import Settings
from models.events import decode_event
from models.regroup import is_direct
from models.topics import EVENTS
from tests.chaos.soak.world import Message, Parting

PORTION = 40  # messages sent at once
PATIENCE = 30.0  # seconds until somebody must be merged
LOOK_MS = 30


def send(settings: Settings, said: Sequence[Message | Parting], seconds: float) -> None:
    """Send all, in so many seconds or more. Raises KafkaError; TimeoutError: nobody is merged."""
    merged = Merged(settings)
    with closing(merged), closing(KafkaProducer(bootstrap_servers=settings.brokers)) as producer:
        for start in range(0, len(said), PORTION):
            for one in said[start : start + PORTION]:
                if isinstance(one, Parting):
                    producer.flush(60)
                    one = one.of(merged.choose(one.pick))
                producer.send(settings.topic(one.topic), one.value, one.key)
            producer.flush(60)
            time.sleep(seconds * PORTION / len(said))


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

    def choose(self, pick: float) -> str:
        """Return one of them, as soon as there is any: nobody twice, until he is merged again.

        `pick`, in [0, 1), says which. Raises TimeoutError.
        """
        end = time.monotonic() + PATIENCE
        while self._look() or not (found := sorted(self._hang & self._did)):
            if time.monotonic() > end:
                raise TimeoutError(f"nobody is merged within {PATIENCE:.0f} s")
        chosen = found[int(pick * len(found))]
        self._hang.remove(chosen)
        return chosen

    def close(self) -> None:
        """Read no more."""
        self._consumer.close()

    def _look(self) -> bool:
        """Take in what has come; tell whether there was any."""
        found = self._consumer.poll(timeout_ms=LOOK_MS)
        for records in found.values():
            for record in records:
                self._take(record.value)
        return bool(found)

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
