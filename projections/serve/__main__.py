"""`python -m projections.serve`: the profile API and the console, until stopped."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
from functools import partial
from types import FrameType

import uvicorn

from infra import scheduling
from infra.listening import Listening
from infra.settings import Settings, SettingsError
from infra.zstd import use_kept_memory
from models.catalogue import CatalogueError
from projections.serve.app import build
from projections.serve.plain import PlainReads
from projections.serve.sources import Sources


class Server(Listening):
    """Ends the open streams when told to stop, so that stopping takes no time-out."""

    def __init__(self, config: uvicorn.Config, sources: Sources) -> None:
        super().__init__(config)
        self._sources = sources

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop: first the streams, then the server."""
        self._sources.live.changes.close()
        super().handle_exit(sig, frame)


def main() -> int:
    """Serve until SIGINT or SIGTERM. Returns 2 when a setting cannot be used."""
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("aiokafka").setLevel("ERROR")  # what matters is told by the feeds
    use_kept_memory()
    # Numbering plans, for keys that are telephone numbers: the first of them waited for these.
    importlib.import_module("phonenumbers")
    try:
        settings = Settings.from_env(os.environ)
        _go_before(settings.serve_nice)
        sources = Sources(settings)
        app = build(settings, sources)
    except (SettingsError, CatalogueError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - to whoever started it
        return 2
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.serve_port,
        loop="uvloop",
        http=partial(PlainReads, app.state.points),  # type: ignore[arg-type]
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        log_config=None,
    )
    for stop in (signal.SIGINT, signal.SIGTERM):
        # uvicorn ends its work, then sends itself the signal again: stopping was asked for, so 0.
        signal.signal(stop, lambda *_: sys.exit(0))
    Server(config, sources).run()
    return 0


def _go_before(nice: int) -> None:
    """Answer before those who work on batches have their turn, where the system lets us."""
    refused = scheduling.prefer(nice) if nice else []
    if refused:
        logging.getLogger("projections.serve").info(
            "reads wait for a core as the other parts do: %s. Without CAP_SYS_NICE the supervisor "
            "has to grant it (docs/operations.md, Cores); C360_SERVE_NICE=0 asks for nothing",
            "; ".join(refused),
        )


if __name__ == "__main__":
    sys.exit(main())
