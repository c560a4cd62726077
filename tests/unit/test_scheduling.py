"""A process that asks for a core soon gets what the system grants, and tells the rest."""

import json
import logging
import os
import subprocess
import sys

import pytest

from infra import scheduling
from infra.settings import Settings, SettingsError
from projections.serve import __main__ as serve

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asked of Linux")
privileged = pytest.mark.skipif(os.geteuid() != 0, reason="grants itself what it asks for")

ASKING = """
import json, os, platform, threading
from pathlib import Path
from infra import scheduling

def now():
    own = Path("/proc/self/task") / str(threading.get_native_id()) / "sched"
    slices = [line.split()[-1] for line in own.read_text().splitlines() if "se.slice" in line]
    group = Path("/proc/self/autogroup")
    return {
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "slice": int(slices[0]) if slices else None,
        "session": int(group.read_text().split()[-1]) if group.exists() else None,
    }

PREPARED
before, refused, seen = now(), scheduling.prefer(-10), []
begun = threading.Thread(target=lambda: seen.append(now()))
begun.start()
begun.join()
print(json.dumps({"before": before, "refused": refused, "after": now(), "thread": seen[0]}))
"""


def asking(prepared: str = "", *, alone: bool = True) -> dict:
    """Ask in a process of its own, `alone` in its session or in one with its starter."""
    program = [sys.executable, "-c", ASKING.replace("PREPARED", prepared)]
    if not alone:  # a starter that has the session
        program = [
            sys.executable,
            "-c",
            "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)",
            *program,
        ]
    done = subprocess.run(program, check=True, capture_output=True, start_new_session=True)
    return json.loads(done.stdout)


@linux
@privileged
def test_it_and_its_threads_get_a_short_slice_and_their_session_the_weight():
    told = asking()
    assert told["refused"] == []
    assert told["thread"] == told["after"]
    assert told["after"]["nice"] == -10
    if told["before"]["session"] is not None:
        assert told["after"]["session"] == -10
    if told["before"]["slice"] and tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 12):
        assert told["after"]["slice"] == scheduling.SLICE_NS


@linux
@privileged
def test_a_session_with_others_keeps_its_weight():
    told = asking(alone=False)
    assert told["refused"] == []
    assert told["after"]["nice"] == -10
    assert told["after"]["session"] == told["before"]["session"]


@linux
def test_what_is_not_granted_is_named_and_nothing_else_changes():
    told = asking("os.geteuid() or os.setuid(65534)")
    assert [one.partition(":")[0] for one in told["refused"]] in (
        ["nice -10", "nice -10 for its session"],
        ["nice -10"],  # no autogroups
    )
    assert told["after"] == {**told["before"], "slice": told["after"]["slice"]}


@linux
@privileged
def test_who_started_it_with_more_weight_is_not_corrected():
    told = asking("os.setpriority(os.PRIO_PROCESS, 0, -15)")
    assert (told["refused"], told["after"]["nice"]) == ([], -15)
    told = asking("os.setpriority(os.PRIO_PROCESS, 0, -15); os.setuid(65534)", alone=False)
    assert (told["refused"], told["after"]["nice"]) == ([], -15)


@linux
@privileged
def test_another_policy_is_left_as_it_was_chosen():
    told = asking("os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))")
    assert (told["refused"], told["after"]) == ([], told["before"])


def test_the_api_says_once_what_it_was_not_granted_and_what_to_do(monkeypatch, caplog):
    monkeypatch.setattr(scheduling, "prefer", lambda nice: [f"nice {nice}: no", "more: no"])
    with caplog.at_level(logging.INFO):
        serve._go_before(-7)
    (said,) = caplog.messages
    assert "nice -7: no; more: no" in said
    assert "docs/operations.md" in said
    assert "C360_SERVE_NICE=0" in said


def test_at_0_nothing_is_asked_for(monkeypatch, caplog):
    monkeypatch.setattr(scheduling, "prefer", lambda _: pytest.fail("asked"))
    with caplog.at_level(logging.INFO):
        serve._go_before(0)
    assert caplog.messages == []


@pytest.mark.parametrize("wrong", ["-21", "1", "soon"])
def test_a_nice_value_that_linux_has_not_or_that_goes_behind_others_is_refused(wrong):
    with pytest.raises(SettingsError, match="C360_SERVE_NICE"):
        Settings.from_env({"C360_SERVE_NICE": wrong})
