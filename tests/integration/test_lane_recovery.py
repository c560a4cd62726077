"""State on disk is read anew from its changelog, whole, however often that was cut short."""

import asyncio
import random

import pytest

from models.topics import PROFILES
from streams.lane import restore
from streams.lane.disk import DiskStore
from streams.lane.publisher import Publisher
from streams.lane.restore import Copy, catch_up

pytestmark = pytest.mark.stack


def test_stores_on_disk_come_whole_from_their_changelogs_whenever_recovery_was_cut_short(
    kafka_settings, tmp_path, monkeypatch
):
    monkeypatch.setattr(restore, "PORTION", 50)
    topic, width = kafka_settings.topic(PROFILES), kafka_settings.partitions
    chance = random.Random(360)
    rows = {
        (topic, number): [
            (b"k%d" % chance.randrange(90), chance.choice([None, b"%d" % at * 9]), ())
            for at in range(300)
        ]
        for number in range(width - 1)  # of the last there is nothing
    }

    async def write():
        publisher = Publisher(kafka_settings.brokers, kafka_settings.topic_prefix, {topic: width})
        await publisher.start()
        await publisher.write(rows)
        await publisher.stop()

    def copies():
        stores = {n: DiskStore(tmp_path / str(n), "id") for n in range(width)}
        return {(topic, number): Copy(store) for number, store in stores.items()}

    def killed(left):
        for copy in left.values():
            copy.store._env.close()

    async def cut_short(steps):
        left = iter(range(steps))
        found = copies()
        whole = await catch_up(kafka_settings.brokers, found, lambda: next(left, None) is not None)
        killed(found)
        return whole

    async def all_of_it():
        await write()
        assert not await cut_short(0)
        await cut_short(3)
        await cut_short(9)
        found = copies()
        assert await catch_up(kafka_settings.brokers, found, lambda: True)
        return found

    found = asyncio.run(asyncio.wait_for(all_of_it(), 120))
    for place, copy in found.items():
        newest = {key: value for key, value, _ in rows.get(place, ())}
        assert dict(copy.store) == {k: v for k, v in newest.items() if v is not None}
        assert copy.store.stamp.position == len(rows.get(place, ()))
