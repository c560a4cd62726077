"""The end of a process that cannot keep its promises: at once, with a reason, unacknowledged.

Raising would let Faust acknowledge the batch in hand (its stream acknowledges in
a `finally`), so a failure that is not the message's fault ends the process: the
supervisor starts it again and Kafka delivers what was not acknowledged.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

EXIT_BROKEN = 70  # EX_SOFTWARE of sysexits.h: starting again may help
EXIT_CONFIG = 78  # EX_CONFIG: it will not

_log = logging.getLogger(__name__)


def die(reason: str, error: BaseException | None = None, *, code: int = EXIT_BROKEN) -> NoReturn:
    """Log why, then end the process without cleaning up: nothing more gets acknowledged."""
    _log.critical("stopping at once: %s", reason, exc_info=error)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
