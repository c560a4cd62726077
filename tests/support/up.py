"""`c360 up` as a test runs it: its parts by name, and customers who send until they are heard."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil

from infra.local import home, process
from infra.local.home import PartState
from infra.settings import Settings
from tests.support.waiting import until


class Up:
    """A running `c360 up`, on a home and ports of its own."""

    def __init__(self, settings: Settings, *arguments: str) -> None:
        self.settings = settings
        self.log = Path(settings.home).parent / "up.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("C360_")}
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "infra.cli", "up", *arguments],
                env=clean | settings.environ(),
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
            )

    def parts(self) -> dict[str, PartState]:
        return {part.name: part for part in home.published(self.settings.home)}

    def ready(self) -> bool:
        """Whether every part is; fails at once when `c360 up` has ended."""
        assert self.process.poll() is None, self.tail()
        return bool(parts := self.parts()) and all(p.state == "ready" for p in parts.values())

    def wait_ready(self, seconds: float = 300) -> None:
        until(self.ready, seconds, f"every part ready; {self.tail()}")

    def tail(self) -> str:
        return process.tail(self.log, 30)

    def pids(self) -> dict[str, int]:
        return {name: part.pid for name, part in self.parts().items() if part.pid}

    def memory(self, name: str) -> int:
        """Return a part's resident memory in bytes."""
        return psutil.Process(self.pids()[name]).memory_info().rss

    def c360(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command on the same home."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("C360_")}
        return subprocess.run(
            [sys.executable, "-m", "infra.cli", *arguments],
            env=clean | self.settings.environ(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def ingest(self) -> httpx.Client:
        key = self.settings.write_keys.get_secret_value().partition("=")[2]
        url = f"http://127.0.0.1:{self.settings.ingest_port}"
        return httpx.Client(base_url=url, auth=(key, ""), timeout=30)

    def api(self) -> httpx.Client:
        key = self.settings.api_keys.get_secret_value().partition("=")[2]
        url = f"http://127.0.0.1:{self.settings.serve_port}"
        return httpx.Client(base_url=url, headers={"x-api-key": key}, timeout=30)


@contextmanager
def running(settings: Settings, *arguments: str) -> Iterator[Up]:
    """Run `c360 up` until the block is through; then it is stopped, and must end well."""
    up = Up(settings, *arguments)
    try:
        up.wait_ready()
        yield up
    finally:
        up.process.terminate()
        assert up.process.wait(120) == 0, up.tail()


class Shoppers:
    """Customers who buy again and again, and send each order until it is acknowledged."""

    CUSTOMERS = 12
    TOGETHER = 6  # orders in one request

    def __init__(self, up: Up, name: str) -> None:
        self.name = name
        self.acknowledged = 0
        self.refusals: list[tuple[int, str]] = []  # status (0: no answer), Retry-After
        self._up = up
        self._stop = threading.Event()

    @contextmanager
    def buying(self) -> Iterator["Shoppers"]:
        """Send in the background while the block runs; after it, all is acknowledged."""
        sender = threading.Thread(target=self._run, daemon=True)
        sender.start()
        try:
            yield self
        finally:
            self._stop.set()
            sender.join(120)
            assert not sender.is_alive(), "the last orders are not acknowledged"

    def _run(self) -> None:
        with self._up.ingest() as client:
            while not self._stop.is_set():
                orders = [self._order(self.acknowledged + n) for n in range(self.TOGETHER)]
                while not self._sent(client, orders):
                    time.sleep(0.3)
                self.acknowledged += self.TOGETHER
                self._stop.wait(0.1)

    def _sent(self, client: httpx.Client, orders: list[dict]) -> bool:
        try:
            answer = client.post("/v1/events", json=orders)
        except httpx.TransportError:
            self.refusals.append((0, ""))
            return False
        if answer.status_code != 200:
            self.refusals.append((answer.status_code, answer.headers.get("retry-after", "")))
            return False
        assert answer.json()["rejected"] == 0, answer.text
        return True

    def _order(self, number: int) -> dict:
        return {
            "type": "order_placed",
            "schema_version": 2,
            "event_id": f"{self.name}-{number}",
            "occurred_at": datetime.now(UTC).isoformat(),
            "identifiers": [{"type": "user_id", "value": self.customer(number)}],
            "channel": "web",
            "order_id": f"{self.name}-{number}",
            "total": {"amount": "1.00", "currency": "USD"},
        }

    def customer(self, number: int) -> str:
        return f"{self.name}-{number % self.CUSTOMERS}"

    def told(self, api: httpx.Client) -> int:
        """Return how many orders, and dollars, the live profiles tell of."""
        total = 0
        for number in range(self.CUSTOMERS):
            try:
                answer = api.get(f"/v1/profiles/user_id:{self.customer(number)}")
            except httpx.TransportError:
                return -1
            if answer.status_code == 200:
                computed = answer.json()["computed"]
                assert computed["revenue"] == {"USD": f"{computed['orders']}.00"}
                assert computed["orders"] == computed["events"]
                total += computed["orders"]
        return total
