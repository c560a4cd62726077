"""Records as the log holds them, of every version of every kind: they are read for ever.

`kind_v1.jsonl` is what was written when 1 was the newest version, and never changes. When it
is not any more, `kind_v1.read.jsonl` beside it says what its lines are read as.
"""

import json

import pytest

from infra.verify.log import Found
from models.customer import Customer
from models.events import decode_event, encode_event
from models.judge import Judge
from models.react import Position, react
from models.topics import EVENTS
from models.upcasters import UPCASTERS
from projections import dead_rows
from projections.tables import project
from tests.golden.freeze import FOLDER, kinds, newest_version

FILES = sorted(file for file in FOLDER.glob("*.jsonl") if not file.stem.endswith(".read"))


def lines(file):
    return file.read_bytes().splitlines()


def version(file):
    kind, _, number = file.stem.rpartition("_v")
    return kind, int(number)


def test_every_version_of_every_kind_has_its_records():
    there = {version(file) for file in FILES}
    assert there == {
        (kind, number) for kind in kinds() for number in range(1, newest_version(kind) + 1)
    }, "a new kind or version: `python -m tests.golden.freeze`; an older file stays for ever"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_records_of_this_version_are_read_as_they_ever_were(file):
    kind, number = version(file)
    old = number < newest_version(kind)
    expected = lines(file.with_suffix(".read.jsonl")) if old else lines(file)
    for written, read in zip(lines(file), expected, strict=True):
        assert json.loads(written)["schema_version"] == number
        assert encode_event(decode_event(written)) == read


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_records_of_this_version_are_folded_and_projected(file):
    for offset, line in enumerate(lines(file)):
        event = decode_event(line).model_copy(update={"customer_id": "c_a"})
        customer = Customer(customer_id="c_a")
        at = Position(EVENTS.name, 0, offset)
        if "state" not in json.loads(line):  # of whom that is, the samples made up
            assert react(customer, event, at, Judge.untrained()).changed
        value = json.dumps(json.loads(line) | {"customer_id": "c_a"}).encode()
        rows = project(EVENTS, [Found(EVENTS.name, 0, offset, b"c_a", value, (), 0)])
        assert rows
        assert dead_rows.TABLE not in rows


def test_an_old_record_that_today_s_shape_would_take_is_still_brought_up():
    [file] = [file for file in FILES if version(file) == ("page_viewed", 1)]
    old = json.loads(lines(file)[0]) | {"path": "/not-this"}
    assert UPCASTERS["page_viewed"]
    assert decode_event(json.dumps(old).encode()).path != "/not-this"
