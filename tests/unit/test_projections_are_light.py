"""What the process that fills ClickHouse does not load, and does not do."""

import subprocess
import sys

from infra.settings import Settings
from projections import client

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
