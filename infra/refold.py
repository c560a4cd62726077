"""Profiles folded anew from the log, and compared with the live ones.

It reads topics and, when asked to mend, writes `profiles`; it has no way to send an
alert. What was predicted and decided stays as it was: that is history, not state.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from msgspec.structs import replace

from infra.errors import UserError
from infra.group import members, worker_group
from infra.settings import Settings
from models.customer import Customer, decode, encode
from models.judge import Judge
from models.react import Position
from models.replay import replay
from models.topics import EVENTS, PROFILES, Topic
from streams.lane.restore import MARK, Copy, mark
from streams.lane.store import MemoryStore

Tell = Callable[[int, int], None]
_json = msgspec.json.Encoder(order="deterministic")


class Difference(NamedTuple):
    """A customer whose live state is not what the log gives; None: there is none."""

    customer_id: str
    live: Customer | None
    folded: Customer | None


class Comparison(NamedTuple):
    """How the live profiles stand against the log."""

    customers: int  # that the log gives
    compared: int  # the rest changed while we read
    hash_live: str  # over all compared, in the order of their ids
    hash_folded: str
    differences: list[Difference]

    @property
    def equal(self) -> bool:
        """Whether the live profiles are what the log gives."""
        return not self.differences


def compare(settings: Settings, tell: Tell) -> Comparison:
    """Fold all of `events` and compare with `profiles`. Raises ValueError on a broken log."""
    judge = Judge.untrained(horizon_days=settings.horizon_days)
    folded = replay(_events(settings, tell), judge)
    live = {
        key.decode(): decode(value)
        for partition in _live(settings).values()
        for key, value in partition.store.contents.items()
    }
    return _compared(folded, live)


def _live(settings: Settings) -> dict[int, Copy]:
    """Return the profiles by partition, as a worker that starts now would find them."""
    copies: dict[int, Copy] = defaultdict(lambda: Copy(MemoryStore()))
    for record in _read(settings, PROFILES, lambda done, there: None):
        copies[record.partition].take([record], record.offset + 1)
    return copies


def mend(settings: Settings, comparison: Comparison) -> int:
    """Write what the log gives over each difference. Returns how many were written.

    It writes as the partitions' newest owner: what an older one wrote would win else.
    Raises UserError while a worker runs: it alone may write a customer.
    """
    if running(settings):
        raise UserError("a worker is running", "stop it first: it alone may write profiles")
    newest = max((copy.store.stamp.epoch for copy in _live(settings).values()), default=0)
    epoch = max(time.time_ns() // 1_000_000, newest + 1)
    with closing(
        KafkaProducer(bootstrap_servers=settings.brokers.split(","), acks="all")
    ) as producer:
        sent = [
            producer.send(
                settings.topic(PROFILES),
                key=one.customer_id.encode(),
                value=None if one.folded is None else encode(_mended(one.live, one.folded)),
                headers=[(MARK, mark(epoch, -1))],
            )
            for one in comparison.differences
        ]
        producer.flush(timeout=60)
        for result in sent:
            result.get(timeout=10)
    return len(sent)


def running(settings: Settings) -> bool:
    """Whether a worker of this deployment is in its group."""
    return bool(members(settings, worker_group(settings)))


def _compared(folded: Mapping[str, Customer], live: Mapping[str, Customer]) -> Comparison:
    hashes = blake2b(digest_size=16), blake2b(digest_size=16)
    differences = []
    compared = 0
    for customer_id in sorted(folded.keys() | live.keys()):
        ours, theirs = folded.get(customer_id), live.get(customer_id)
        if theirs is not None and theirs.offset > (ours.offset if ours else -1):
            continue  # it changed while we read
        compared += 1
        written = [_evidence(one) for one in (theirs, ours)]
        for digest, text in zip(hashes, written, strict=True):
            digest.update(text)
        if written[0] != written[1]:
            differences.append(Difference(customer_id, theirs, ours))
    live_hash, folded_hash = (digest.hexdigest() for digest in hashes)
    return Comparison(len(folded), compared, live_hash, folded_hash, differences)


def _evidence(customer: Customer | None) -> bytes:
    """Return what the log alone decides: no prediction, whose model has moved on since."""
    if customer is None:
        return b""
    return _json.encode(
        (
            customer.customer_id,
            customer.offset,
            customer.merged_into,
            sorted(customer.absorbed),
            customer.profile,
        )
    )


def _mended(live: Customer | None, folded: Customer) -> Customer:
    if live is None:
        return folded
    return replace(
        folded,
        version=max(live.version, folded.version) + 1,
        risk=live.risk,
        offer=live.offer,
        pending=live.pending,
        awaited=live.awaited,
        episodes=live.episodes,
    )


def _events(settings: Settings, tell: Tell) -> Iterator[tuple[Position, bytes]]:
    for record in _read(settings, EVENTS, tell):
        yield Position(EVENTS.name, record.partition, record.offset), record.value


def _read(settings: Settings, topic: Topic, tell: Tell) -> Iterable[Any]:
    """Yield a topic's records (kafka-python's) from its beginning to where it ends now."""
    with closing(
        KafkaConsumer(
            bootstrap_servers=settings.brokers.split(","), check_crcs=False, max_poll_records=5_000
        )
    ) as consumer:
        name = settings.topic(topic)
        every = [TopicPartition(name, one) for one in consumer.partitions_for_topic(name) or ()]
        consumer.assign(every)
        consumer.seek_to_beginning(*every)
        ends = consumer.end_offsets(every)
        there, done = sum(ends.values()), 0
        while any(consumer.position(at) < ends[at] for at in every):
            for records in consumer.poll(timeout_ms=500).values():
                done += len(records)
                yield from records
            tell(done, there)
