"""Waiting for what another process does, with a limit and an answer when it does not come."""

import time
from collections.abc import Callable


def until(ask: Callable, seconds: float = 60, what: str = ""):
    """Ask every 0.1 s until the answer is true, and return it. Fails after `seconds`."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < end, f"not within {seconds} s: {what or ask}; last {answer!r}"
        time.sleep(0.1)
    return answer
