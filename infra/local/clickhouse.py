"""The embedded ClickHouse: the real server out of the chdb-core wheel, as one child process.

Clients reach it over HTTP or the native protocol like any other; production changes
the URL only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from infra.errors import UserError
from infra.local import folders, ports, process

START_SECONDS = 60.0
STOP_SECONDS = 20.0


class ClickHouseServer:
    """An embedded server whose data lives in `home`. Start it from a lasting thread."""

    def __init__(
        self,
        home: Path,
        http_port: int,
        native_port: int,
        *,
        user: str,
        password: str,
        analyst_password: str,
        readable: tuple[str, ...] = (),
    ) -> None:
        self.home = home.absolute()
        self.http_port = http_port
        self.native_port = native_port
        self.log = self.home / "clickhouse.log"
        self._readable = readable
        self._environ = {
            "C360_CLICKHOUSE_USER": user,
            "C360_CLICKHOUSE_PASSWORD": password,
            "C360_ANALYST_PASSWORD": analyst_password,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers HTTP."""
        return f"http://{ports.LOOPBACK}:{self.http_port}"

    @property
    def pid(self) -> int | None:
        """The running server's process id."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the server and wait until it answers. Raises UserError."""
        began = process.size(self.log)
        self._process = process.spawn(self.command(), self.log, self.environ())
        deadline = process.Deadline(START_SECONDS)
        while not is_healthy(self.url):
            if self._process.poll() is not None or deadline.passed:
                self.stop()
                raise UserError(
                    "ClickHouse did not start; its log ends:\n"
                    f"{process.tail(self.log, since=began)}",
                    f"the whole log: {self.log}",
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server, cleanly when it lets us. Harmless when it is not running."""
        if self._process is not None:
            process.stop(self._process, STOP_SECONDS)

    def command(self) -> list[str]:
        """Check what a start needs; return the command line.

        Raises UserError: directory not writable, port taken.
        """
        folders.prepare(self.home, private=True)
        ports.require_free(self.http_port, "ClickHouse", "clickhouse_port")
        ports.require_free(self.native_port, "ClickHouse", "clickhouse_native_port")
        return [
            *(sys.executable, "-m", "infra.local.clickhouse_server", str(self.home)),
            *(str(self.http_port), str(self.native_port), *self._readable),
        ]

    def environ(self) -> dict[str, str]:
        """Return the environment that the process needs, passwords included."""
        return dict(os.environ) | self._environ


def is_healthy(url: str) -> bool:
    """Whether a ClickHouse answers there. It answers a ping without a password."""
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/ping", timeout=2) as answer:  # noqa: S310
            return bool(answer.read().strip() == b"Ok.")
    except (OSError, urllib.error.URLError, ValueError):
        return False
