"""Many partitions looked at by several processes, and how far they are together."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from typing import Any, NamedTuple

SMALL = 100_000  # records: starting processes takes longer than reading so few
EVERY = 0.2  # seconds between two tellings
Tell = Callable[[int], None]  # so many more records were read
Progress = Callable[[int, int], None]  # records read, records there


class Job(NamedTuple):
    """A coroutine function of a module, to be called with `arguments` and a `Tell`."""

    run: Callable[..., Coroutine[Any, Any, Any]]
    arguments: tuple[Any, ...]
    size: int  # records that it will read


_told: Any = None  # in a process of the pool: where it says how much it has read


def processes(wanted: int | None, jobs: Iterable[Job]) -> int:
    """Return how many processes to use: those asked for, else as many as there are cores."""
    some = list(jobs)
    if wanted is None:
        wanted = 1 if sum(job.size for job in some) < SMALL else os.cpu_count() or 1
    return max(1, min(wanted, len(some)))


def run(jobs: Sequence[Job], workers: int | None, progress: Progress) -> list[Any]:
    """Return what each job gives, in their order. What one raises is raised here."""
    there, count = sum(job.size for job in jobs), processes(workers, jobs)
    progress(0, there)
    if count > 1:
        return _together(jobs, count, progress, there)
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        progress(min(done, there), there)

    return [asyncio.run(job.run(*job.arguments, tell)) for job in jobs]


def _together(jobs: Sequence[Job], count: int, progress: Progress, there: int) -> list[Any]:
    context = multiprocessing.get_context("spawn")
    told = context.Value("Q", 0)
    with ProcessPoolExecutor(count, context, _begin, (told,)) as pool:
        # The largest first, so that none is left alone at the end.
        order = sorted(range(len(jobs)), key=lambda number: -jobs[number].size)
        running = {number: pool.submit(_call, jobs[number]) for number in order}
        try:
            left = set(running.values())
            while left:
                _, left = wait(left, timeout=EVERY)
                progress(min(told.value, there), there)
            return [running[number].result() for number in range(len(jobs))]
        except BaseException:  # Ctrl-C too: else leaving the block waits for all that is queued
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin(told: Any) -> None:
    global _told
    _told = told


def _call(job: Job) -> Any:
    def tell(more: int) -> None:
        with _told.get_lock():
            _told.value += more

    return asyncio.run(job.run(*job.arguments, tell))
