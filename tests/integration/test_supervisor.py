"""The supervisor keeps its parts running, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from infra.errors import UserError
from infra.local import home, process
from infra.local.part import Part
from infra.local.running import QUICK_CRASHES, State
from infra.local.supervisor import Supervisor
from tests.support.waiting import gone, until

LASTING = "import time; print('here', flush=True); time.sleep(600)"
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(600)"
)
GENTLE = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); " + LASTING


def part(name, code=LASTING, **over):
    return Part(name=name, launch=lambda: [sys.executable, "-c", code], **over)


def drive(supervisor, condition, seconds=120.0):
    """Tick until `condition` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, {n: r.state for n, r in supervisor.parts.items()}
        supervisor.tick()
        time.sleep(0.02)


@pytest.fixture
def supervise(tmp_path):
    """Return a function that makes a supervisor, whose parts end with the test."""
    made = []

    def make(*parts):
        made.append(Supervisor(tmp_path / "home", parts))
        made[-1].logs.mkdir(parents=True)
        return made[-1]

    yield make
    for supervisor in made:
        for running in supervisor.parts.values():
            running.kill()
            running.stop()


def test_a_part_starts_once_what_it_needs_is_well(supervise, tmp_path):
    ready = tmp_path / "ready"
    supervisor = supervise(part("base", healthy=ready.exists), part("top", needs=("base",)))
    drive(supervisor, lambda: supervisor.parts["base"].pid is not None)
    for _ in range(10):
        supervisor.tick()
    assert supervisor.parts["top"].state is State.WAITING
    ready.touch()
    drive(supervisor, lambda: supervisor.ready)


def test_a_killed_part_is_started_again(supervise):
    supervisor = supervise(part("worker"))
    drive(supervisor, lambda: supervisor.ready)
    first = supervisor.parts["worker"].pid
    os.kill(first, signal.SIGKILL)
    drive(supervisor, lambda: supervisor.parts["worker"].pid not in (None, first))
    assert supervisor.parts["worker"].restarts == 1


def test_a_part_that_crashes_again_and_again_is_given_up_with_its_last_words(supervise):
    supervisor = supervise(part("worker", "print('no such table'); raise SystemExit(3)"))
    with pytest.raises(UserError, match=f"crashed {QUICK_CRASHES} times") as given_up:
        drive(supervisor, lambda: False)
    assert "no such table" in given_up.value.what
    assert "worker.log" in given_up.value.remedy


def test_a_part_that_crashes_because_another_is_gone_is_not_given_up(supervise, tmp_path):
    well = tmp_path / "well"
    well.touch()
    outside = Part(name="kafka", launch=lambda: None, healthy=well.exists)
    code = f"import os, time\nwhile os.path.exists({str(well)!r}): time.sleep(0.01)"
    prepared = Part(name="topics", launch=lambda: None, needs=("kafka",))
    supervisor = supervise(outside, prepared, part("worker", code, needs=("topics",)))
    worker = supervisor.parts["worker"]
    for outage in range(1, QUICK_CRASHES + 2):
        drive(supervisor, lambda: supervisor.ready)
        well.unlink()
        drive(supervisor, lambda: worker.state is State.CRASHED)
        for _ in range(10):
            supervisor.tick()
        assert worker.restarts == outage
        well.touch()
    drive(supervisor, lambda: supervisor.ready)


def test_what_a_person_must_mend_stops_the_start(supervise):
    def launch():
        raise UserError("port 1 is taken")

    with pytest.raises(UserError, match="port 1"):
        supervise(Part(name="kafka", launch=launch)).tick()


def test_what_keeps_a_part_from_starting_again_is_what_it_is_given_up_with(supervise):
    started = []

    def launch():
        if started:
            raise UserError("the disk is full", "make room")
        started.append(True)
        return [sys.executable, "-c", "import time; time.sleep(0.5)"]

    with pytest.raises(UserError, match="the disk is full"):
        drive(supervise(Part(name="kafka", launch=launch)), lambda: False)


def test_a_part_whose_settings_cannot_be_used_is_not_tried_again(supervise):
    supervisor = supervise(part("ingest", "print('C360_WRITE_KEYS: none'); raise SystemExit(2)"))
    with pytest.raises(UserError, match="ingest cannot start: C360_WRITE_KEYS: none"):
        drive(supervisor, lambda: False)
    assert supervisor.parts["ingest"].restarts == 0


def test_a_part_that_never_becomes_well_is_stopped_and_counted_as_a_crash(supervise):
    supervisor = supervise(part("worker", healthy=lambda: False, start_seconds=0.2))
    drive(supervisor, lambda: supervisor.parts["worker"].restarts == 1)
    assert supervisor.parts["worker"].pid is None


def test_changed_secrets_restart_only_the_parts_that_follow_them(supervise):
    supervisor = supervise(part("ingest", follows_secrets=True), part("worker"))
    drive(supervisor, lambda: supervisor.ready)
    before = {name: running.pid for name, running in supervisor.parts.items()}
    supervisor.catch_signals()
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        supervisor.tick()
        drive(supervisor, lambda: supervisor.ready)
    finally:
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    after = {name: running.pid for name, running in supervisor.parts.items()}
    assert after["ingest"] != before["ingest"]
    assert after["worker"] == before["worker"]


class Wanted:
    """A supervisor's parts, and those that there should be."""

    def __init__(self, home, *names, **over):
        self.names, self._over = names, over
        self.supervisor = Supervisor(home, self.parts(), wanted=self.parts)
        self.supervisor.logs.mkdir(parents=True)

    def parts(self):
        return [part(name, self._over.get(name, LASTING)) for name in self.names]

    def become(self, *names):
        self.names = names
        os.kill(os.getpid(), signal.SIGUSR2)


@pytest.fixture
def resized(tmp_path):
    """Return a function that makes a supervisor of parts by name, told to resize by a signal."""
    made = []

    def make(*names, **over):
        made.append(Wanted(tmp_path / "home", *names, **over))
        made[-1].supervisor.catch_signals()
        return made[-1]

    yield make
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for one in made:
        for running in one.supervisor.parts.values():
            running.kill()
            running.stop()


def test_parts_come_and_go_while_it_runs_and_the_others_are_left_alone(resized):
    wanted = resized("kafka", "worker", "worker-2")
    supervisor = wanted.supervisor
    drive(supervisor, lambda: supervisor.ready)
    before = {name: running.pid for name, running in supervisor.parts.items()}
    wanted.become("kafka", "worker", "worker-3")
    drive(supervisor, lambda: set(supervisor.parts) == set(wanted.names) and supervisor.ready)
    after = {name: running.pid for name, running in supervisor.parts.items()}
    assert (after["kafka"], after["worker"]) == (before["kafka"], before["worker"])
    assert gone([before["worker-2"]])
    published = {one["name"]: one["state"] for one in published_in(supervisor.home)}
    assert published == {"kafka": "ready", "worker": "ready", "worker-3": "ready"}


def test_nobody_waits_for_a_part_that_is_slow_to_go(resized):
    wanted = resized("worker", "worker-2", **{"worker-2": DEAF})
    supervisor = wanted.supervisor
    drive(supervisor, lambda: "deaf" in supervisor.parts["worker-2"].tail())
    wanted.become("worker")
    drive(supervisor, lambda: supervisor.parts["worker-2"].state is State.STOPPING)
    first = supervisor.parts["worker"].pid
    os.kill(first, signal.SIGKILL)
    drive(supervisor, lambda: supervisor.parts["worker"].pid not in (None, first))
    assert supervisor.parts["worker-2"].state is State.STOPPING
    supervisor.parts["worker-2"].kill()
    drive(supervisor, lambda: "worker-2" not in supervisor.parts)


def test_a_part_that_does_not_go_is_killed_when_its_time_is_over(supervise):
    supervisor = supervise(part("worker", DEAF, grace=0.2))
    worker = supervisor.parts["worker"]
    drive(supervisor, lambda: "deaf" in worker.tail())
    worker.retire()
    drive(supervisor, lambda: worker.state is State.STOPPED)
    assert worker.exit_code == -signal.SIGKILL


def test_who_is_wanted_again_while_it_goes_is_started_anew(resized):
    wanted = resized("worker", "worker-2", **{"worker-2": DEAF})
    supervisor = wanted.supervisor
    drive(supervisor, lambda: "deaf" in supervisor.parts["worker-2"].tail() and supervisor.ready)
    going = supervisor.parts["worker-2"]
    before = going.pid
    wanted.become("worker")
    drive(supervisor, lambda: going.state is State.STOPPING)
    wanted.become("worker", "worker-2")
    supervisor.tick()
    assert (supervisor.parts["worker-2"], going.pid) == (going, before)
    going.kill()
    drive(
        supervisor,
        lambda: supervisor.ready and supervisor.parts["worker-2"].pid not in (None, before),
    )


def published_in(folder):
    return json.loads((folder / "up.json").read_text())


def test_what_a_killed_part_left_undone_is_done_when_it_is_not_to_come_back(resized):
    undone = []
    wanted = resized("worker", "worker-2", "worker-3", **{"worker-3": GENTLE})
    supervisor = wanted.supervisor
    for name, running in supervisor.parts.items():
        running.part = replace(running.part, survive=partial(undone.append, name))
    drive(supervisor, lambda: "here" in supervisor.parts["worker-3"].tail() and supervisor.ready)
    os.kill(supervisor.parts["worker-2"].pid, signal.SIGKILL)
    drive(supervisor, lambda: supervisor.parts["worker-2"].state is State.CRASHED)
    assert undone == []  # it comes back
    wanted.become("worker")
    drive(supervisor, lambda: set(supervisor.parts) == {"worker"})
    assert undone == ["worker-2"]  # the third was asked to end, and did itself what was to be done


def test_a_part_writes_its_own_log(supervise):
    supervisor = supervise(part("worker"))
    drive(supervisor, lambda: "here" in process.tail(supervisor.logs / "worker.log"))


# The rest is about the supervisor's own end, so it is a process here.
ALONE = """
import sys
from pathlib import Path
from infra.local.part import Part
from infra.local.supervisor import Supervisor
codes = {codes!r}
parts = [
    Part(name=name, launch=lambda code=code: [sys.executable, "-c", code], grace=1.0)
    for name, code in codes.items()
]
supervisor = Supervisor(Path({home!r}), parts)
supervisor.catch_signals()
supervisor.run()
print("ended")
"""


@pytest.fixture
def alone(tmp_path):
    """Return a function that starts a supervisor in a process of its own."""
    started = []

    def start(**codes):
        program = textwrap.dedent(ALONE).format(codes=codes, home=str(tmp_path / "home"))
        started.append(
            subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield start
    for running in started:
        running.kill()
        running.wait()


def pids(folder: Path, names: int) -> list[int]:
    """Wait until so many parts are ready; return their process ids."""

    def ready():
        found = [one.pid for one in home.published(folder) if one.state == "ready" and one.pid]
        return found if len(found) == names else None

    return until(ready)


@pytest.mark.parametrize("ask", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_end_it_stops_every_part_and_ends_well(alone, tmp_path, ask):
    supervisor = alone(first=LASTING, second=DEAF)
    parts = pids(tmp_path / "home", 2)
    supervisor.send_signal(ask)
    assert supervisor.wait(120) == 0
    assert supervisor.stdout.read() == "ended\n"
    assert gone(parts)
    assert {one["state"] for one in json.loads((tmp_path / "home/up.json").read_text())} == {
        "stopped"
    }


def test_killed_it_takes_its_parts_with_it(alone, tmp_path):
    supervisor = alone(first=LASTING, second=DEAF)
    parts = pids(tmp_path / "home", 2)
    supervisor.kill()
    supervisor.wait()
    until(lambda: gone(parts))


def test_after_a_kill_the_same_home_starts_again(alone, tmp_path):
    first = alone(only=LASTING)
    [before] = pids(tmp_path / "home", 1)
    first.kill()
    first.wait()
    assert home.holder(tmp_path / "home") is None
    alone(only=LASTING)
    until(lambda: home.holder(tmp_path / "home") is not None)
    until(lambda: pids(tmp_path / "home", 1) != [before])


def test_ctrl_c_in_the_terminal_does_not_reach_the_parts(alone, tmp_path):
    supervisor = alone(only=LASTING)
    [part_pid] = pids(tmp_path / "home", 1)
    assert os.getsid(part_pid) != os.getsid(supervisor.pid)
    assert psutil.Process(part_pid).ppid() == supervisor.pid
