"""What the process that fills ClickHouse does not load."""

import subprocess
import sys

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
