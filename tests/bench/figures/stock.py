"""(c) Stock Faust: the same core, one event at a time, state in a Table."""

from infra.admin import config
from models.topics import PROFILES
from tests.bench import pipeline
from tests.bench.harness import PYTHON, Bench

NAME = "stock"
GOALS: dict[str, str] = {}  # its goal is a ratio
REPEAT = True
SHARE = 8  # it takes the first eighth of the others' events: it is slow, and its rate is even


def measure(bench: Bench) -> dict:
    """One pass over the first events of the same past."""
    settings = bench.settings("stock")
    bench.topics(settings)
    profiles = f"{settings.topic_prefix}worker-customers-changelog"
    pipeline.make_topic(settings, profiles, settings.partitions, **config(PROFILES, settings))
    messages = bench.touchpoints()[: max(bench.events // SHARE, 2 * pipeline.WARM_UP)]
    return pipeline.run(bench, settings, (*PYTHON, "tests.bench.stock"), messages, profiles)
