"""What the answers come from: the live profiles, the past, the dead letters, the lag.

Followed in the server's own event loop. When one of the followers ends, the
process ends: a server that quietly serves an old state is worse than none.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from infra.settings import Settings
from models import topics
from projections.client import connect
from projections.live import Live
from projections.live_dead_letters import KEPT, DeadLetters
from projections.live_feed import SOON, Feed
from projections.live_lag import Lag
from projections.live_learnt import Learnt
from projections.live_models import KEPT as REPORTS_KEPT
from projections.live_models import Models
from projections.live_offer_model import LiveOfferModel
from projections.past import Past

STATS_EVERY = 1.0  # seconds between two updates of the board
PAST_SECONDS = 20  # for an answer of ClickHouse


def wall_ms() -> int:
    """Return the wall clock, ms since 1970."""
    return time.time_ns() // 1_000_000


class Sources:
    """The followed state that requests read."""

    def __init__(self, settings: Settings) -> None:
        self.live = Live(wall_ms, uuid.uuid4().hex[:8], settings.identity_rules())
        self.dead_letters = DeadLetters()
        self.models = Models()
        secret = settings.snapshot_secret.get_secret_value().encode()
        self.learnt = Learnt(secret, wall_ms)
        self.offer_model = LiveOfferModel(secret, wall_ms)
        self.lag = Lag(settings)
        self.past = Past(partial(connect, settings, timeout=PAST_SECONDS))
        self.profiles = Feed(
            settings.brokers, settings.topic(topics.PROFILES), self.live.apply, apart=SOON
        )
        self.dead = Feed(
            settings.brokers,
            settings.topic(topics.DEAD_LETTERS),
            self.dead_letters.apply,
            newest=KEPT,
        )
        self.snapshots = Feed(
            settings.brokers, settings.topic(topics.MODEL_SNAPSHOTS), self._apply_snapshots
        )
        self.reports = Feed(
            settings.brokers,
            settings.topic(topics.MODEL_REPORTS),
            self.models.apply,
            newest=REPORTS_KEPT,
        )

    def _apply_snapshots(self, records: Sequence[Any]) -> None:
        self.learnt.apply(records)
        self.offer_model.apply(records)

    @property
    def refused(self) -> int:
        """How many messages were refused and not sent again."""
        return self.dead.skipped + len(self.dead_letters)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow while the block runs. Raises what ends a follower."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.profiles.run(), name="profiles"),
                group.create_task(self.dead.run(), name="dead letters"),
                group.create_task(self.snapshots.run(), name="model snapshots"),
                group.create_task(self.reports.run(), name="models"),
                group.create_task(self.lag.run(), name="lag"),
                group.create_task(self._mark_ready(), name="ready"),
            ]
            try:
                yield
            finally:
                self.live.changes.close()
                for task in tasks:
                    task.cancel()

    async def _mark_ready(self) -> None:
        await self.profiles.caught_up.wait()
        self.live.mark_ready()
