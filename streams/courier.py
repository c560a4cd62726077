"""The courier: attempts the deliveries that are due, signed, and writes down what came of it.

At least once: a crash between the receiver's answer and the outbox repeats an
attempt, under the same `webhook-id`, by which the receiver can tell.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook

from infra.settings import SettingsError
from models.delivery import Attempt, Entry, attempted, outdated, payload, share
from models.records import Alert
from streams.app import app, settings
from streams.lane import Outbox
from streams.lane.fatal import EXIT_CONFIG, die
from streams.outbox import REMEMBER_MS, enqueue, now_ms, outbox, queue, read, report, write
from streams.outgoing import client, post

IDLE_SECONDS = 0.25
GONE = 410
MAX_AGE_MS = settings.webhook_max_age_hours * 3_600_000


async def work() -> None:
    """Attempt what is due, a few at a time, until the worker stops."""
    if not settings.webhook_url:
        return
    try:
        await run(Desk(_signer()))
    except SettingsError as error:
        die(str(error), code=EXIT_CONFIG)
    except Exception as error:
        die("deliveries failed", error)


async def run(desk: Desk) -> None:
    """Keep this worker's share of attempts under way; what they raise is raised here."""
    running: set[asyncio.Task[None]] = set()
    while not app.should_stop:
        most = share(settings.webhook_at_once, len(outbox.owned()), settings.partitions)
        while len(running) < most and (due := queue.pop(now_ms())) is not None:
            running.add(asyncio.create_task(desk.attempt(*due)))
        if not running:
            await asyncio.sleep(IDLE_SECONDS)
            continue
        done, running = await asyncio.wait(
            running, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()
    await desk.close()


class Desk:
    """Makes the attempts to one destination, and stops when it says that it is gone."""

    def __init__(self, signer: Webhook) -> None:
        self._signer = signer
        self._client: httpx.AsyncClient = client()
        self._gone = False
        self._busy: set[bytes] = set()

    async def attempt(self, partition: int, key: bytes) -> None:
        """Attempt one alert, and write down what came of it if the partition is still ours."""
        if key in self._busy:  # the partition came back meanwhile; who is at it goes on
            return
        self._busy.add(key)
        try:
            stored = outbox.partition(partition).get(key) if partition in outbox.owned() else None
            if stored is not None:
                await self._advance(partition, key, read(stored))
        finally:
            self._busy.discard(key)

    async def _advance(self, partition: int, key: bytes, entry: Entry) -> None:
        alert = entry.alert
        if alert is None:
            if entry.due_ms + REMEMBER_MS <= now_ms():
                await outbox.write(partition, {key: None})
            return
        if entry.due_ms > now_ms():  # an old reminder; there is another one
            return
        after, made = outdated(entry, alert, now_ms(), MAX_AGE_MS) or attempted(
            entry, alert, await self._call(alert), now_ms(), settings.webhook_retry_seconds
        )
        sent = Outbox()
        report(sent, made)
        await app.publish(sent)
        value = write(after)
        if await outbox.write(partition, {key: value}):
            enqueue(partition, key, value)

    async def _call(self, alert: Alert) -> Attempt:
        if self._gone:
            return Attempt(error="the destination answered 410 Gone before", permanent=True)
        body = payload(alert)
        at = datetime.now(UTC)
        headers = {
            "webhook-id": alert.alert_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._signer.sign(alert.alert_id, at, body.decode()),
            "user-agent": "customer360-webhooks/1",
        }
        result = await post(
            self._client,
            settings.webhook_url,
            body,
            headers,
            allow_private=settings.webhook_allow_private,
            timeout=settings.webhook_timeout_seconds,
        )
        self._gone = self._gone or result.http_status == GONE
        return result

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _signer() -> Webhook:
    secret = settings.webhook_secret.get_secret_value()
    if not secret:
        raise SettingsError(
            "C360_WEBHOOK_SECRET: not set, and webhooks are never sent unsigned;"
            " `c360 up` makes one, or set whsec_ and a base64 text"
        )
    try:
        return Webhook(secret)
    except ValueError:
        raise SettingsError("C360_WEBHOOK_SECRET: whsec_ and a base64 text is needed") from None
