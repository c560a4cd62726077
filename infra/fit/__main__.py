"""`python -m infra.fit`: fit the population's parameters when it is due, until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from types import FrameType

from aiokafka.errors import KafkaError
from kafka.errors import KafkaError as AdminError

from infra.fit.job import Job
from infra.settings import Settings, SettingsError

_log = logging.getLogger("infra.fit")


def main() -> int:
    """Run until told to stop. Returns 1 when it cannot go on, 2 when a setting cannot be used."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for library in ("kafka", "aiokafka"):
        logging.getLogger(library).setLevel(logging.ERROR)
    try:
        settings = Settings.from_env(os.environ)
        job = Job(settings)

        def stop(number: int, frame: FrameType | None) -> None:
            job.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        _log.info("the population is fitted every %g hours", settings.fit_hours)
        job.run(lambda now_ms: asyncio.run(job.step(now_ms)))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (KafkaError, AdminError) as error:
        _log.error("cannot go on: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
