"""How a worker is told to stop: for good (SIGTERM), or to come back (SIGINT).

Either way what is done is committed. Who stops for good leaves the group, and the others
have its partitions at once; who comes back within the session finds them kept.
"""

from __future__ import annotations

import signal

import faust


class Worker(faust.Worker):  # type: ignore[misc]
    """Faust's, which takes both signals for the same."""

    def _on_sigint(self) -> None:
        self.app.keeps_place = True
        self._schedule_shutdown(signal.SIGINT)
