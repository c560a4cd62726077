"""All state of one worker, from assignment to assignment: recovered, adopted, stood by for.

What is wanted is brought level first, all tables at once; copies for others come
after the streams have begun.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection

from streams.lane.fence import Fence
from streams.lane.restore import Copy, Place, catch_up
from streams.lane.standby import Standby
from streams.lane.state import StateTable
from streams.lane.store import Stores

_log = logging.getLogger(__name__)


class Keeper:
    """Keeps `tables`, whose stores `stores` opens."""

    def __init__(self, brokers: str, fence: Fence, stores: Stores) -> None:
        self.tables: list[StateTable] = []
        self.stores = stores
        self._brokers = brokers
        self._fence = fence
        self._standby = Standby(brokers)

    async def prepare(self) -> None:
        """Make the stores ready, once, before the first tenure."""
        await self.stores.prepare(self._brokers, [table.changelog for table in self.tables])

    def begin(self) -> None:
        """Give up what the tenure that begins does not keep."""
        for table in self.tables:
            table.begin()

    async def recover(self, tenure: int) -> None:
        """Own what this tenure wants, as its changelogs tell it; less if the tenure ends before."""
        begun = time.monotonic()
        await self._standby.end()
        wanted = {table: table.wanted() - table.owned() for table in self.tables}
        copies = {
            (table.changelog, number): table.copy(number)
            for table, numbers in wanted.items()
            for number in numbers
        }
        if not await catch_up(self._brokers, copies, lambda: self._fence.tenure == tenure):
            return
        for table, numbers in wanted.items():
            if self._fence.tenure == tenure:
                await table.adopt(numbers, time.time_ns() // 1_000_000)
        _log.info("%d changelogs read in %.2f s", len(copies), time.monotonic() - begun)

    async def stand_by(self, places: Collection[Place]) -> None:
        """Keep copies of these partitions of source topics close behind, and no others."""
        copies: dict[Place, Copy] = {}
        for table in self.tables:
            numbers = {n for topic, n in places if topic == table.source} - table.owned()
            await table.retire(numbers)
            copies |= {(table.changelog, number): table.copy(number) for number in numbers}
        self._standby.begin(copies)
        self.stores.sweep()

    async def close(self) -> None:
        """Let go of everything: nothing is written any more."""
        await self._standby.end()
        for table in self.tables:
            await table.close()
