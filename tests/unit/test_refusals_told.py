"""A flood of bad input is counted, not written line by line."""

import logging

from streams import dead_letters
from streams.dead_letters import SAID_EVERY, Tally


def test_refusals_of_one_reason_are_told_together(caplog, monkeypatch):
    now = 100.0
    monkeypatch.setattr(dead_letters, "monotonic", lambda: now)
    tally = Tally()
    with caplog.at_level(logging.WARNING, "streams.dead_letters"):
        for offset in range(1_000):
            tally.add("not_json", f"touchpoints/0/{offset}")
        tally.add("bad_time", "touchpoints/0/1000")
        now += SAID_EVERY
        tally.add("not_json", "touchpoints/0/1001")
    assert [record.getMessage() for record in caplog.records] == [
        "refused touchpoints/0/0: not_json (1 new)",
        "refused touchpoints/0/1000: bad_time (1 new)",
        "refused touchpoints/0/1001: not_json (1000 new)",
    ]
