"""Follow the running system through its own API: the figures, and who changed last.

A thread of its own, so that a slow answer never holds up the supervisor.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict

import httpx

from infra.cli.figures import Api, Json
from infra.settings import Settings

EVERY = 1.0  # seconds between two readings
SHOWN = 12  # customers
_REMEMBERED = 200


class Watch:
    """The newest figures and customers; both are None or empty until the API answers."""

    def __init__(self, settings: Settings) -> None:
        self.stats: Json | None = None
        self.customers: list[Json] = []
        self._api = Api(settings)
        self._changed: OrderedDict[str, None] = OrderedDict()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to follow, in the background."""
        for loop in (self._poll, self._follow):
            threading.Thread(target=loop, daemon=True).start()

    def stop(self) -> None:
        """Stop following."""
        self._stopped.set()

    def _poll(self) -> None:
        while not self._stopped.wait(EVERY):
            self.stats = self._api.stats() or self.stats
            ids = list(self._changed)[-SHOWN:]
            if ids:
                self.customers = self._api.customers(ids[::-1]) or self.customers

    def _follow(self) -> None:
        while not self._stopped.wait(EVERY):
            try:
                with self._api.client.stream("GET", "/v1/changes", timeout=60.0) as answer:
                    for line in answer.iter_lines():
                        self._hear(line)
                        if self._stopped.is_set():
                            return
            except httpx.HTTPError:
                continue  # the API restarts: follow it again

    def _hear(self, line: str) -> None:
        """Remember who changed. A merged customer is shown as the one it was merged into."""
        if not line.startswith("data: "):
            return
        change = json.loads(line.removeprefix("data: "))
        changed = change.get("merged_into") or change.get("customer_id")
        if changed:
            self._changed.pop(changed, None)
            self._changed[changed] = None
        while len(self._changed) > _REMEMBERED:
            self._changed.popitem(last=False)
