"""`python -m streams.ingest`: serve until SIGTERM, then finish what was taken in."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys

import uvicorn

from infra.answers import Answers
from infra.listening import Listening
from infra.settings import Settings, SettingsError
from streams.ingest.app import create_app
from streams.ingest.auth import KeysError

DRAIN_SECONDS = 15


def main() -> int:
    """Serve. Returns 2 when a setting cannot be used."""
    # Events by the thousand, hardly one in a cycle: looking for those cost more than it freed.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        settings = Settings.from_env(os.environ)
        app = create_app(settings)
    except (SettingsError, KeysError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    # uvicorn drains, then raises the signal again: this turns that into a clean exit.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    Listening(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.ingest_port,
            loop="uvloop",
            http=Answers,
            ws="none",
            proxy_headers=False,  # nobody asks here where a request came from
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            server_header=False,
        )
    ).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
