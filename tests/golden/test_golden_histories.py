"""A folder is a log with its merges and unmerges, and the customers that it gives, for ever.

The records stand as their partitions hold them: what folds sent each other is among them.
`added.json` has the fields that profiles got later, by customer: the file itself stays.
"""

import json
from pathlib import Path

import msgspec
import pytest

from models.customer import encode
from models.judge import Judge
from models.react import Position
from models.replay import replay

CASES = sorted((Path(__file__).parent / "histories").iterdir())


def records(case):
    for line in (case / "log.jsonl").read_bytes().splitlines():
        said = json.loads(line)
        at = Position("events", said["partition"], said["offset"])
        yield at, msgspec.json.encode(said["event"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_this_log_gives_these_customers(case):
    customers = replay(records(case), Judge.mute())
    told = {id: json.loads(encode(one)) for id, one in customers.items()}
    expected = json.loads((case / "customers.json").read_bytes())
    added = case / "added.json"
    for id, fields in json.loads(added.read_bytes()).items() if added.exists() else ():
        assert fields.keys().isdisjoint(expected[id]["profile"])
        expected[id]["profile"] |= fields
    assert told == expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_log_of_a_case_holds_all_that_an_unmerge_leads_to(case):
    kinds = {msgspec.json.decode(value)["type"] for _, value in records(case)}
    assert kinds >= {
        *("customer_merged", "customer_absorbed", "customer_regrouped", "customer_refolded")
    }
