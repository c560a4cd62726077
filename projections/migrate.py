"""The database as the code expects it: numbered SQL files, forward only, never edited.

clickhouse-migrations keeps each file's checksum and refuses one that changed after it
was applied. Its lock needs a Keeper, so one of our own keeps two runs apart: a query
that stays running under one query id, which dies with its owner.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, Error
from clickhouse_migrations.clickhouse_cluster import ClickhouseCluster
from clickhouse_migrations.exceptions import MigrationException
from clickhouse_migrations.migration import MigrationStorage

from infra.settings import Settings
from projections.client import connect

FOLDER = Path(__file__).parent / "migrations"
LOCK_SECONDS = 60.0
LONGEST_RUN_SECONDS = 3_600
_QUERY_ALREADY_RUNS = 216


class MigrationFailedError(RuntimeError):
    """The database could not be brought up to date; the message says why."""


def pending(settings: Settings, folder: Path = FOLDER) -> list[str]:
    """Return the files not applied yet, oldest first. Changes nothing.

    Raises MigrationFailedError when an applied file has changed or is gone.
    """
    names = MigrationStorage(folder).migration_filenames()
    try:
        rows = _cluster(settings).status(settings.clickhouse_database, folder)
    except (MigrationException, Error) as error:
        raise MigrationFailedError(_first_line(error)) from error
    for row in rows:
        if row.state not in ("applied", "pending"):
            name = names.get(row.version, f"number {row.version}")
            raise MigrationFailedError(f"{name} was applied and is now {row.state}: add a new file")
    return [names[row.version] for row in rows if row.state == "pending"]


def migrate(settings: Settings, folder: Path = FOLDER) -> list[str]:
    """Create the database and apply what is missing. Returns the names applied.

    Raises MigrationFailedError: a file changed after it was applied, SQL was refused,
    another run holds the lock for over a minute.
    """
    with _alone(settings):
        missing = pending(settings, folder)
        if missing:
            try:
                _cluster(settings).migrate(
                    settings.clickhouse_database,
                    folder,
                    multi_statement=True,
                    variables={"definer": settings.clickhouse_user},
                )
            except (MigrationException, Error) as error:
                raise MigrationFailedError(_first_line(error)) from error
        return missing


def _cluster(settings: Settings) -> ClickhouseCluster:
    scheme, _, address = settings.clickhouse_url.partition("://")
    host, _, port = address.rstrip("/").partition(":")
    return ClickhouseCluster(
        db_host=host,
        db_port=port or ("8443" if scheme == "https" else "8123"),
        db_user=settings.clickhouse_user,
        db_password=settings.clickhouse_password.get_secret_value(),
        secure=scheme == "https",
        driver="clickhouse-connect",
    )


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the migration lock of the database."""
    query_id = f"c360-migrate-{settings.clickhouse_database}"
    mine = uuid.uuid4().hex
    with connect(settings, database="") as holder, connect(settings, database="") as asker:
        refused: list[Error] = []
        deadline = time.monotonic() + LOCK_SECONDS
        thread = _hold(holder, query_id, mine, refused)
        while not _runs(asker, query_id, mine):
            if not thread.is_alive():
                if refused and refused[0].code != _QUERY_ALREADY_RUNS:
                    raise MigrationFailedError(_first_line(refused[0])) from refused[0]
                if time.monotonic() > deadline:
                    raise MigrationFailedError("another migration is running; try again later")
                refused.clear()
                thread = _hold(holder, query_id, mine, refused)
            time.sleep(0.05)
        try:
            yield
        finally:
            # Not SYNC: that cancels by name until none is left, so the next run's lock with it.
            asker.command("KILL QUERY WHERE query_id = {id:String} ASYNC", {"id": query_id})
            thread.join()


def _hold(client: Client, query_id: str, mine: str, refused: list[Error]) -> threading.Thread:
    def run() -> None:
        try:
            client.query(
                "SELECT sleepEachRow(0.1) FROM numbers({rows:UInt32})",
                {"rows": LONGEST_RUN_SECONDS * 10},
                settings={
                    "query_id": query_id,
                    "log_comment": mine,
                    "max_block_size": 1,
                    "max_threads": 1,
                    "cancel_http_readonly_queries_on_client_close": 1,
                },
            )
        except DatabaseError as error:  # killed when done, or another holds the lock
            refused.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def _runs(client: Client, query_id: str, mine: str) -> bool:
    found = client.query(
        "SELECT count() FROM system.processes "
        "WHERE query_id = {id:String} AND Settings['log_comment'] = {mine:String}",
        {"id": query_id, "mine": mine},
    )
    return bool(found.result_rows[0][0])


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split("Stack trace", 1)[0].split())
