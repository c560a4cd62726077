"""A connection to ClickHouse over HTTP, as every part of the read side opens it."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver import options
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, Error, OperationalError

from infra.settings import Settings

# The client loads pandas at its first insert, to ask whether it was given a frame: it never is.
vars(options).update(pd=None, pd_time_test=None)
# Releases of ClickHouse differ in these defaults; an insert here never leaves them to chance.
INSERT_SETTINGS: Final[dict[str, Any]] = {
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "max_partitions_per_insert_block": 0,  # a backfill may span decades
    "do_not_merge_across_partitions_select_final": 0,
}
# Between processes of one machine bytes cost less than the CPU that makes them fewer.
_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
# The server is up, and says: not now.
_BUSY: Final = frozenset(
    {159, 160, 164, 173, 198, 202, 209, 210, 225, 236, 241, 242, 243, 252, 319, 394, 439, 999}
)
# No such column (8, 16), name, table, database: a migration was not run.
_NOT_THERE: Final = frozenset({8, 16, 47, 60, 81})


def is_away(error: Exception) -> bool:
    """Whether a failure says that ClickHouse does not answer, or asks to come again later."""
    if isinstance(error, Error) and error.code is not None:
        return error.code in _BUSY
    # Without a code it is no answer, or not ClickHouse's own: a proxy's, a start's.
    return isinstance(error, OSError | OperationalError) or type(error) is DatabaseError


def is_behind(error: Exception) -> bool:
    """Whether a failure says that tables lack what this code reads: `c360 migrate` brings it."""
    return isinstance(error, Error) and error.code in _NOT_THERE


def connect(settings: Settings, database: str | None = None, timeout: int = 60) -> Client:
    """Connect as the owner of the tables; `database` None: the deployment's.

    Raises clickhouse_connect's errors when the server does not answer or refuses.
    """
    return clickhouse_connect.get_client(
        dsn=settings.clickhouse_url,
        interface=settings.clickhouse_url.partition("://")[0],
        username=settings.clickhouse_user,
        password=settings.clickhouse_password.get_secret_value(),
        database=settings.clickhouse_database if database is None else database,
        compress=urlsplit(settings.clickhouse_url).hostname not in _HERE,
        connect_timeout=5,
        send_receive_timeout=timeout,
        autogenerate_session_id=False,  # one client, several threads
        settings=INSERT_SETTINGS,
    )
