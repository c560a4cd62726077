"""Where the time of (a) and (b) goes, by function: the top in the results, more in files.

Interpreted: of compiled functions py-spy sees none.
"""

import os
import subprocess
from contextlib import closing
from pathlib import Path

from infra.compiled import finder
from models.topics import PROFILES
from tests.bench import pipeline
from tests.bench.harness import PYTHON, REPOSITORY, Bench
from tests.bench.sampling import RATE, Profile, recording, sampled

NAME = "profile"
GOALS: dict[str, str] = {}
SEEN = {finder.OFF: "1"}


def measure(bench: Bench) -> dict:
    """Sample both; return their top functions by self time."""
    core = Profile(of_core(bench, bench.home / "core.raw"), within="run (core.py")
    worker = Profile(of_worker(bench, bench.home / "worker.raw"))
    found = {"core": core, "worker": worker}
    if bench.results is not None:
        bench.results.mkdir(parents=True, exist_ok=True)
        for name, profile in found.items():
            title = f"({'ab'[name == 'worker']}) {name}: time by function, {RATE} samples a second"
            (bench.results / f"profile-{name}.txt").write_text(profile.text(title), "utf-8")
    return {name: {"samples": one.samples, "top": one.top()} for name, one in found.items()}


def of_core(bench: Bench, out: Path) -> str:
    """Return the stacks of the core at work, on the last core of the machine."""
    work = (*PYTHON, "tests.bench.core", str(bench.events), str(bench.fewer(3, 1)))
    with bench.pinned(bench.there):
        spying = recording(out, "--", *work)
        environ = os.environ | SEEN
        subprocess.run(spying, check=True, capture_output=True, cwd=REPOSITORY, env=environ)
    return out.read_text()


def of_worker(bench: Bench, out: Path, *before: str) -> str:
    """Return the stacks of a warm worker, from the first event until all is settled."""
    settings, messages = bench.settings("profile"), bench.touchpoints()
    bench.topics(settings)
    spots = pipeline.Spots(settings, settings.topic(PROFILES))
    command = (*before, *PYTHON, "streams", "worker")
    with bench.process(settings, *command, environ=SEEN) as running, closing(spots):
        pipeline.send(settings, messages[: pipeline.WARM_UP])
        spots.settled(running, pipeline.WARM_UP)
        with sampled(running.pid, out):
            pipeline.send(settings, messages[pipeline.WARM_UP :])
            spots.settled(running, len(messages))
    return out.read_text()
