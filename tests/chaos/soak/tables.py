"""The same run in ClickHouse: projected while it goes on, killed once, and compared."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from infra.local import process
from infra.settings import Settings
from models import topics
from projections.migrate import migrate
from tests.chaos.soak.verdict import Verdict
from tests.support.waiting import until

LEDGERS = {"scores": "score_id", "decisions": "decision_id", "alerts": "alert_id"}


class Tables:
    """The projecting process of one run."""

    def __init__(self, settings: Settings) -> None:
        migrate(settings)
        self._settings = settings
        self._process = self._start()

    def kill(self) -> None:
        """SIGKILL it, and start it again."""
        self._process.kill()
        self._process.wait()
        self._process = self._start()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def judge(self, verdict: Verdict) -> None:
        """Note what the tables have too many or too few of."""
        ids = verdict.event_ids
        wanted = {"touchpoints": (len(ids), len(ids))}
        for table in LEDGERS:
            there = len(verdict.distinct(getattr(topics, table.upper())))
            wanted[table] = (there, there)
        with self._client() as client:
            for table, pair in wanted.items():
                query = (
                    f"SELECT count(), uniqExact({LEDGERS.get(table, 'event_id')}) "
                    f"FROM {table} FINAL"
                )
                try:
                    until(lambda q=query, p=pair: client.query(q).first_row == p, 60, table)
                except AssertionError as error:
                    verdict.faults.append(f"table {table}: {error}, not {pair}")
                verdict.told[f"rows of {table}"] = pair[0]
            there = verdict.events_of_customers()

            def shown() -> set[tuple]:
                rows = client.query("SELECT customer_id, events FROM profiles FINAL").result_rows
                return set(rows)

            with suppress(AssertionError):  # what they lack is told below
                until(lambda: shown() == there, 60, "profiles")
            verdict.same("rows of profiles", shown(), there)

    def _client(self) -> Client:
        return clickhouse_connect.get_client(
            dsn=self._settings.clickhouse_url,
            username=self._settings.clickhouse_user,
            password=self._settings.clickhouse_password.get_secret_value(),
            database=self._settings.clickhouse_database,
        )

    def _start(self) -> subprocess.Popen[bytes]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("C360_")}
        return process.spawn(
            [sys.executable, "-m", "projections"],
            Path(self._settings.home) / "project.log",
            clean | self._settings.environ(),
        )
