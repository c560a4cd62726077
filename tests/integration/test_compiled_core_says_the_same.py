"""Compiled or not, the core says the same, byte for byte."""

import os
import subprocess
import sys

import pytest

from infra.compiled import build, finder

pytestmark = pytest.mark.compiled
# A past long enough for every learner to have learnt, for merges, offers and alerts.
SAID = """
import time
from hashlib import sha256

time.time_ns = lambda: 1_790_000_000_000_000_000  # the world ends now: the same now for both
from infra.settings import OFFERS_FILE
from models import react
from models.catalogue import parse
from models.judge import Judge
from tests.bench.core import Core
from tests.bench.workload import touchpoints

core = Core(Judge.untrained(parse(OFFERS_FILE.read_text(encoding="utf-8"))))
core.process(touchpoints(4_000))
said = sha256()
for kept in (core.customers, core._models):
    for key in sorted(kept):
        said.update(key + (kept[key] or b""))
for record in core.log:
    said.update(record)
print(react.__file__.rpartition(".")[2], len(core._models), said.hexdigest())
"""


def says(**env: str) -> tuple[str, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", SAID],
        cwd=build.ROOT,
        env={**{k: v for k, v in os.environ.items() if k != finder.OFF}, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    how, models, said = done.stdout.split()
    return how, models, said


def test_compiled_or_interpreted_the_same_customers_log_and_models():
    if build.compiler() is None:
        pytest.skip("no C compiler here: nothing is compiled")
    if not build.is_current():
        build.build()
    compiled, interpreted = says(), says(**{finder.OFF: "1"})
    assert (compiled[0], interpreted[0]) == ("so", "py")
    assert compiled[1:] == interpreted[1:]
    assert int(compiled[1]) > 0  # models were learnt
