"""(d) Bytewax, in an environment of its own, running the same core."""

import subprocess

from tests.bench import pipeline
from tests.bench.harness import Bench
from tests.bench.peers import environment

NAME = "bytewax"
GOALS: dict[str, str] = {}  # its goal is a ratio
REPEAT = True


def measure(bench: Bench) -> dict:
    """One pass over the events, its recovery store on. It commits no offsets to Kafka."""
    python = environment.python(bench, "bytewax")
    settings = bench.settings("bytewax")
    bench.topics(settings)
    store = settings.home / "recovery"
    store.mkdir()
    subprocess.run([python, "-m", "bytewax.recovery", str(store), "1"], check=True)
    flow = "tests.bench.peers.bytewax.flow:flow"
    command = (python, "-m", "bytewax.run", flow, "--recovery-directory", str(store))
    intervals = ("--snapshot-interval", "10", "--backup-interval", "0")
    return pipeline.run(bench, settings, (*command, *intervals), bench.touchpoints(), commits=False)
