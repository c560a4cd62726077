"""`python -m projections`: keep ClickHouse up to date with the topics, until SIGTERM."""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import signal
import sys
from types import FrameType

from aiokafka.errors import KafkaError
from kafka.errors import KafkaError as AdminError

from infra.settings import Settings, SettingsError
from infra.zstd import use_kept_memory
from projections.load import SchemaMismatchError
from projections.project import Projector
from projections.reading import read_lightly

_log = logging.getLogger("projections")


def main() -> int:
    """Run until told to stop. Returns 1 when it cannot go on, 2 when a setting cannot be used."""
    # Rows by the ten thousand, none in a cycle: looking for one cost a quarter of the CPU, and
    # a tenth where a full batch still led to it. What two batches are made of stays below this.
    gc.freeze()
    gc.set_threshold(1_000_000, 20, 100)
    use_kept_memory()
    read_lightly()
    faulthandler.register(signal.SIGUSR1)  # says where every thread is, when nothing seems to move
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for library in ("kafka", "aiokafka"):
        logging.getLogger(library).setLevel(logging.ERROR)
    try:
        projector = Projector(Settings.from_env(os.environ))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2

    def stop(number: int, frame: FrameType | None) -> None:
        projector.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        projector.run()
    except (SchemaMismatchError, KafkaError, AdminError) as error:
        _log.error("cannot go on: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
