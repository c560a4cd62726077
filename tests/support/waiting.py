"""Waiting for what another process does, with a limit and an answer when it does not come."""

import time
from collections.abc import Callable, Iterable

import psutil


def until(ask: Callable, seconds: float = 120, what: str = ""):
    """Ask every 0.1 s until the answer is true, and return it. Fails after `seconds`."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < end, f"not within {seconds} s: {what or ask}; last {answer!r}"
        time.sleep(0.1)
    return answer


def kill(pid: int) -> None:
    """SIGKILL a process, and wait until it runs no more: gone, or left for its parent to reap."""
    process = psutil.Process(pid)
    process.kill()
    until(lambda: ended(process), 60, f"process {pid} killed")


def gone(pids: Iterable[int]) -> bool:
    """Whether none of these processes runs; one that its parent has yet to reap does not."""
    for pid in pids:
        try:
            process = psutil.Process(pid)
        except psutil.NoSuchProcess:
            continue
        if not ended(process):
            return False
    return True


def ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it may go between any two looks at it
        return True
