"""A changelog read as the next owner of its partitions would."""

import asyncio
from collections.abc import Iterable

from streams.lane.restore import Copy, catch_up
from streams.lane.store import MemoryStore


def recovered(brokers: str, topic: str, partitions: Iterable[int], seconds=120) -> dict[int, Copy]:
    """Return partitions of a changelog (full name) as they stand now."""
    copies = {number: Copy(MemoryStore()) for number in partitions}
    places = {(topic, number): copy for number, copy in copies.items()}
    assert asyncio.run(asyncio.wait_for(catch_up(brokers, places, lambda: True), seconds))
    return copies
