"""Limits: a rate for each key, a bound on what is in memory, keys that are really needed."""

import pytest

from models.events import Wire
from streams.ingest.auth import Keys, KeysError
from streams.ingest.limits import Budget, TokenBucket
from streams.ingest.problems import ProblemError
from streams.ingest.splitting import segment_call
from streams.ingest.verdicts import judge


def test_a_bucket_refills_at_its_rate_and_no_higher_than_its_burst():
    now = [0.0]
    bucket = TokenBucket(10, 20, clock=lambda: now[0])
    bucket.take(20)
    with pytest.raises(ProblemError) as refused:
        bucket.take(15)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "2")
    now[0] = 1.5
    bucket.take(15)
    now[0] = 100.0
    bucket.take(20)
    with pytest.raises(ProblemError):
        bucket.take(1)


def test_what_was_refused_costs_nothing():
    bucket = TokenBucket(10, 20, clock=lambda: 0.0)
    with pytest.raises(ProblemError):
        bucket.take(21)
    bucket.take(20)


def test_all_requests_together_hold_no_more_than_the_budget():
    budget = Budget(100)
    with budget.hold() as first, budget.hold() as second:
        first.add(60)
        with pytest.raises(ProblemError) as refused:
            second.add(60)
        assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "1")
        second.add(40)
    assert budget.held == 0


def test_what_a_failed_request_held_is_given_back():
    budget = Budget(100)

    def fail():
        with budget.hold() as hold:
            hold.add(60)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert budget.held == 0


def test_keys_are_found_by_their_value():
    keys = Keys("web=k1, app=k2==")
    assert (keys.name_of("k1"), keys.name_of("k2=="), keys.name_of("k3")) == ("web", "app", None)
    assert (keys.name_of(""), keys.name_of("열쇠")) == (None, None)


@pytest.mark.parametrize("setting", ["", " ", ",", "=k", "web=", "web", "web=k1,web=k2"])
def test_without_usable_keys_nothing_starts(setting):
    with pytest.raises(KeysError, match="C360_WRITE_KEYS"):
        Keys(setting)


@pytest.mark.parametrize("body", [b'{"event":"x","type":"page"}', b'{"event":"x"}  ', b" {}"])
def test_a_calls_type_is_its_paths(body):
    [event] = segment_call("track", body).events
    assert event.endswith(b'"type":"track"}')


def test_an_event_that_names_nobody_is_told_so_at_once():
    raw = b'{"type":"page_viewed","path":"/","identifiers":{"user_id":"null"}}'
    key, verdict = judge(raw, Wire(received_ms=1_795_312_800_000), 1_000)
    assert (key, verdict.status, verdict.reason) == (None, "rejected", "no_identifier")
