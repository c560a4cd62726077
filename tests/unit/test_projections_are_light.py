"""What the process that fills ClickHouse does not load, and does not do."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.structs import TopicPartition
from msgspec.structs import asdict

from infra.settings import Settings
from projections import client
from projections.reading import read_lightly
from projections.table import Record

INSERT = """
import sys
import projections.client
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.insert import InsertContext
InsertContext("t", ["a"], [get_from_name("String")], [["x"]], column_oriented=True)
sys.exit("pandas" in sys.modules)
"""


def test_an_insert_loads_no_pandas():
    assert subprocess.run([sys.executable, "-c", INSERT], check=False).returncode == 0


def test_what_stays_on_this_machine_is_not_packed(monkeypatch):
    asked = []
    monkeypatch.setattr(
        client.clickhouse_connect, "get_client", lambda **given: asked.append(given["compress"])
    )
    for host in ("127.0.0.1:8123", "localhost:8123", "[::1]:8123", "db.example:8123"):
        client.connect(Settings(clickhouse=f"http://{host}"))
    client.connect(Settings())
    assert asked == [False, False, False, True, False]


RAW = {"offset": 7, "timestamp": 1_700_000_000_000, "timestamp_type": 0, "checksum": None}


@pytest.mark.parametrize(
    "said",
    [
        {"key": b"k", "value": b"v", "headers": [("h", b"1"), ("h", b"2")]},
        {"key": None, "value": None, "headers": []},
    ],
)
def test_a_record_that_is_read_lightly_says_what_aiokafkas_own_says(monkeypatch, said):
    reader = object.__new__(PartitionRecords)
    vars(reader).update(_key_deserializer=None, _value_deserializer=None)
    place, raw = TopicPartition("events", 3), SimpleNamespace(**RAW, **said)
    own = PartitionRecords._consumer_record
    monkeypatch.setattr(PartitionRecords, "_consumer_record", own)  # puts it back
    read_lightly()
    found = asdict(reader._consumer_record(place, raw))
    assert found == {name: getattr(own(reader, place, raw), name) for name in found}
    assert found.keys() == Record.__annotations__.keys()
