"""(d) Quix Streams, in an environment of its own, running the same core."""

from infra.admin import config
from models.topics import PROFILES
from tests.bench import pipeline
from tests.bench.harness import Bench
from tests.bench.peers import environment

NAME = "quix"
GOALS: dict[str, str] = {}  # its goal is a ratio
REPEAT = True


def measure(bench: Bench) -> dict:
    """One pass over the events. The store's changelog carries the profiles."""
    python = environment.python(bench, "quix")
    settings = bench.settings("quix")
    bench.topics(settings)
    group, prefix = f"{settings.topic_prefix}worker", settings.topic_prefix
    profiles = f"changelog__{group}--{prefix}events--default"
    pipeline.make_topic(settings, profiles, settings.partitions, **config(PROFILES, settings))
    command = (python, "-m", "tests.bench.peers.quix.app")
    return pipeline.run(bench, settings, command, bench.touchpoints(), profiles)
