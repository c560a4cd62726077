"""A worker whose Kafka goes away while it starts, at whichever step: it is to be started again."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.stack

# What succeeded before Kafka went away; the worker itself is the real one.
STARTING = """
import runpy, sys
from streams.lane import app, publisher

async def well(*_):
    pass

if "looked" in sys.argv:
    app.check_topics = well
if "connected" in sys.argv:
    publisher.Publisher.start = publisher.Publisher.stop = well
if "produced" in sys.argv:
    from faust.transport.drivers.aiokafka import Producer

    Producer.on_start = well
del sys.argv[1:]
runpy.run_module("tests.support.counting_worker", run_name="__main__")
"""


STEPS = ("looked", "connected", "produced")


@pytest.mark.parametrize("done", [STEPS[:count] for count in range(len(STEPS) + 1)])
def test_it_ends_with_what_asks_for_another_start(make_settings, done):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("C360_")}
    settings = make_settings()
    ended = subprocess.run(
        [sys.executable, "-c", STARTING, *done],
        env=clean | settings.environ() | {"F_LOOP": "uvloop"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 70, ended.stderr
    assert f"no Kafka broker answers at {settings.brokers}" in ended.stderr
