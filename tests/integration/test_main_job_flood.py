"""Far more touchpoints than the worker keeps up with: it takes what it has room for, and no more.

Two backlogs tell how much that is, one four times the other: of what is read ahead of the
steps there would be four times as much as well.
"""

import asyncio
import json
import os
import threading
import time
from itertools import count, islice

import httpx
import psutil
import pytest

from infra.admin import create_topics
from infra.files.log import Log, Message
from infra.group import members, worker_group
from models.topics import ALERTS, TOUCHPOINTS
from tests.support.alerts import alert, outcomes
from tests.support.counting import status
from tests.support.kafka_log import send
from tests.support.offline_fold import agreed
from tests.support.receiver import receiving
from tests.support.waiting import until

pytestmark = pytest.mark.stack

BYTES = 8_000  # of an event; no codec makes less than half of it
BACKLOG = 5_000  # events: 40 MB, where three batches in each of two partitions hold 24
CUSTOMERS = 40
ALERTED = 20
SESSION = 12.0  # seconds; standing still for half of it would end the worker


@pytest.fixture
def settings(make_settings, broker):
    made = make_settings(kafka=broker, partitions=2, session_seconds=SESSION)
    create_topics(made)
    return made


def touchpoints():
    """Yield page views of now, for ever."""
    pads = [os.urandom(BYTES // 2).hex() for _ in range(500)]
    for number in count():
        who = f"user-{number % CUSTOMERS}"
        event = {
            "type": "page_viewed",
            "event_id": f"e{number}",
            "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "identifiers": [{"type": "user_id", "value": who}],
            "path": "/",
            "properties": {"pad": pads[number % len(pads)]},
        }
        yield Message(who.encode(), json.dumps(event).encode(), [])


class Flood:
    """Touchpoints that come, and a worker that has too many of them."""

    def __init__(self, settings):
        self.settings = settings
        self.sent = 0
        self._touchpoints = touchpoints()

    def send(self, events):
        asyncio.run(self._send(events))
        self.sent += events

    async def _send(self, events):
        async with Log(self.settings.brokers, self.settings.topic(TOUCHPOINTS)) as log:
            for _ in range(0, events, 1_000):
                await log.send(islice(self._touchpoints, 1_000))

    def most_memory(self, part, before=0, span=0.0):
        """Return the most bytes that a worker had until all but the `before` first was folded.

        For `span` seconds more comes. It must answer, and keep its place in the group.
        """
        process, most = psutil.Process(part.pid), 0
        until(lambda: self._told()["ready"], what="the worker is ready")
        began, end = self._place(), time.monotonic() + span
        healthz = f"http://127.0.0.1:{self.settings.worker_port}/healthz"
        while (waits := self._waiting(before)) > 0 or time.monotonic() < end:
            assert httpx.get(healthz, timeout=60).status_code == 200, part.tail()
            if waits < 2 * BACKLOG and time.monotonic() < end:
                self.send(BACKLOG)
            most = max(most, process.memory_info().rss)
            time.sleep(0.1)
        assert self._place() == began
        return most

    def folded(self):
        """Return whether all that was sent is on the log, and customers are what that gives."""
        customers = agreed(self.settings) or {}
        return sum(one.profile.events for one in customers.values()) == self.sent

    def _told(self):
        return until(lambda: status(self.settings), what="the worker says how it is")

    def _waiting(self, before):
        return self.sent - before - self._told()["steps"]["fold"]["events"]

    def _place(self):
        told, group = self._told(), worker_group(self.settings)
        held = [(one.instance, one.places) for one in members(self.settings, group)]
        return told["tenure"], told["generation"], held


def test_a_flood_grows_no_memory_costs_no_place_and_waits_for_no_receiver(settings, start_part):
    flood, opened = Flood(settings), threading.Event()
    secret = settings.webhook_secret.get_secret_value()
    flood.send(BACKLOG)
    part = start_part(settings, "streams", "worker")
    usual = flood.most_memory(part)
    assert part.stop() == 0, part.tail()
    flood.send(4 * BACKLOG)
    send(settings.brokers, settings.topic(ALERTS), [alert(number) for number in range(ALERTED)])
    with receiving(secret, lambda _: opened.wait() and 204) as receiver:
        hook = {"webhook_url": receiver.url, "webhook_timeout_seconds": 60.0}
        part = start_part(settings, "streams", "worker", webhook_allow_private=True, **hook)
        try:
            most = flood.most_memory(part, BACKLOG, 1.5 * SESSION)
            until(flood.folded, what="all is on the log, and folded")
            assert outcomes(settings) == {"pending": ALERTED}
        finally:
            opened.set()
        until(lambda: outcomes(settings) == {"delivered": ALERTED}, what="all delivered")
    assert most - usual < BACKLOG * BYTES, f"{usual >> 20} MiB, then {most >> 20} MiB"
