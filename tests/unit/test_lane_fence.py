"""Work of an ended tenure, and of a process that stood still, is never written."""

import pytest

from streams.lane import fence as fences
from streams.lane.fence import Fence

HERE = ("events", 1)


@pytest.fixture
def fence():
    fence = Fence(longest_pause=10)
    fence.begin(4, {HERE})
    return fence


@pytest.fixture
def deaths(monkeypatch):
    reasons = []
    monkeypatch.setattr(fences, "die", reasons.append)
    return reasons


def test_an_owner_may_write_in_its_tenure(fence):
    assert fence.allows(1, HERE)
    assert not fence.allows(1, ("events", 2))


def test_what_a_tenure_began_is_refused_after_it_even_in_the_same_generation(fence):
    fence.end()
    assert not fence.allows(1, HERE)
    fence.begin(4, {HERE})
    assert not fence.allows(1, HERE)
    assert fence.allows(2, HERE)


def test_a_member_that_the_coordinator_put_out_may_not_write(fence):
    fence.membership = lambda: -1
    assert not fence.allows(1, HERE)


@pytest.mark.parametrize(
    ("generation", "continuous"), [(4, True), (5, True), (6, False), (1, False)]
)
def test_ownership_is_unbroken_only_when_no_generation_was_missed(fence, generation, continuous):
    fence.begin(generation, {HERE})
    assert fence.continuous is continuous


def test_the_first_tenure_continues_nothing(fence):
    assert fence.continuous is False


def test_no_batch_comes_before_a_tenure_is_ready(fence):
    fence.ready = True
    fence.begin(5, {HERE})
    assert fence.ready is False


def test_a_pause_longer_than_the_limit_ends_the_process(fence, deaths, monkeypatch):
    began = fences.monotonic()
    monkeypatch.setattr(fences, "monotonic", lambda: began + 9)
    fence.check_pause()
    assert deaths == []
    monkeypatch.setattr(fences, "monotonic", lambda: began + 11)
    fence.allows(1, HERE)
    assert len(deaths) == 1


def test_a_beat_after_too_long_a_pause_ends_the_process_and_is_no_sign_of_life(
    fence, deaths, monkeypatch
):
    began = fences.monotonic()
    monkeypatch.setattr(fences, "monotonic", lambda: began + 11)
    fence.beat()
    assert len(deaths) == 1


def test_beats_keep_the_process_however_long_it_runs(fence, deaths, monkeypatch):
    began = fences.monotonic()
    for second in range(5, 60, 5):
        monkeypatch.setattr(fences, "monotonic", lambda now=began + second: now)
        fence.beat()
        assert fence.allows(1, HERE)
    assert deaths == []


def test_who_owns_nothing_may_stand_still(fence, deaths, monkeypatch):
    fence.end()
    began = fences.monotonic()
    monkeypatch.setattr(fences, "monotonic", lambda: began + 100)
    fence.check_pause()
    assert deaths == []
