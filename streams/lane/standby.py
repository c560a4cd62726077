"""Copies of what other workers own, kept close behind their changelogs.

When their owner is gone, what is missing is a moment's worth, so a partition is
taken over at once. A copy is in the same kind of store as what is owned, and never
written but from the changelog.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from streams.lane.fatal import die
from streams.lane.restore import Copy, Place, Reader

PORTION = 500  # records at a time: those whose partitions are owned here come first


class Standby:
    """Follows changelogs into copies, from `begin` to `end`."""

    def __init__(self, brokers: str) -> None:
        self._brokers = brokers
        self._task: asyncio.Task[None] | None = None

    def begin(self, copies: Mapping[Place, Copy]) -> None:
        """Follow these, each from where it is."""
        if copies:
            reader = Reader(self._brokers, copies, portion=PORTION)
            self._task = asyncio.create_task(self._follow(reader))

    async def end(self) -> None:
        """Follow nothing any more: the copies may be adopted or closed."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _follow(self, reader: Reader) -> None:
        try:
            await reader.start()
            while True:
                await reader.step()
                await asyncio.sleep(0)
        except Exception as error:
            die("cannot follow the changelogs of others", error)
        finally:
            await reader.stop()
