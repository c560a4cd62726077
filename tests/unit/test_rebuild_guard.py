"""Workers that a rebuild stopped start again, whatever becomes of the rebuild."""

import signal
import subprocess
import sys

import pytest

from infra.local import home as homes
from infra.rebuild.guard import stopping
from tests.support.waiting import until


@pytest.fixture
def up(tmp_path):
    """A home whose `c360 up` is this process; yields the worker counts that it was asked for."""
    asked = []
    before = signal.signal(signal.SIGUSR2, lambda *_: asked.append(homes.wanted_workers(tmp_path)))
    with homes.locked(tmp_path):
        homes.want_workers(tmp_path, 3)
        yield asked
    signal.signal(signal.SIGUSR2, before)


def test_as_many_as_there_were_are_asked_for_after_the_block(up, tmp_path):
    with stopping(tmp_path, 3):
        until(lambda: up == [0], 60)
    until(lambda: up == [0, 3], 60)


def test_they_are_asked_for_when_the_block_raises(up, tmp_path):
    with pytest.raises(RuntimeError, match="no"), stopping(tmp_path, 3):
        raise RuntimeError("no")
    until(lambda: up == [0, 3], 60)


def test_they_are_asked_for_when_the_one_that_stopped_them_is_killed(up, tmp_path):
    code = (
        "import time; from pathlib import Path; from infra.rebuild.guard import stopping\n"
        f"with stopping(Path({str(tmp_path)!r}), 3): time.sleep(600)"
    )
    stopper = subprocess.Popen([sys.executable, "-c", code])
    until(lambda: up == [0], 60)
    stopper.kill()
    stopper.wait()
    until(lambda: up == [0, 3], 60)


def test_a_number_that_somebody_else_asked_for_meanwhile_stays(up, tmp_path):
    with stopping(tmp_path, 3):
        homes.resize(tmp_path, 5)
    assert homes.wanted_workers(tmp_path) == 5
