"""The embedded ClickHouse process: `python -m infra.local.clickhouse_server HOME HTTP NATIVE`.

The chdb-core wheel holds the whole engine, listeners included: a local session that
is told to open them, and then kept busy, is a real server. Passwords come from the
environment (`C360_CLICKHOUSE_PASSWORD`, `C360_ANALYST_PASSWORD`), never the command line.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import urllib.request
from pathlib import Path

from infra.local import ports
from infra.local.clickhouse_config import ServerConfig

# Ends when killed, and the server with it. HTTP opens last, because its answer to a ping
# means that all is ready: the process's own signal handlers, set meanwhile, too.
_SERVE = """
SYSTEM START LISTEN TCP;
SELECT sleep(0.1) FORMAT Null;
SYSTEM START LISTEN HTTP;
SELECT sleepEachRow(1) FROM system.numbers FORMAT Null
SETTINGS max_block_size = 1, max_threads = 1, max_execution_time = 0, log_queries = 0
"""


def quarantine(home: Path) -> list[Path]:
    """Move aside tables of the Kafka engine, and return their files.

    The wheel lacks that engine: creating such a table fails, yet its definition stays
    and would stop every later start.
    """
    store = home / "db" / "store"
    aside = home / "quarantine"
    moved = []
    for definition in store.glob("*/*/*.sql"):
        if "ENGINE = Kafka" in definition.read_text(errors="ignore"):
            aside.mkdir(exist_ok=True)
            moved.append(definition.rename(aside / definition.name))
    return moved


def serve(config: ServerConfig) -> int:
    """Run the server until SIGTERM or SIGINT; return the exit code."""
    for definition in quarantine(config.home):
        print(f"moved aside a Kafka-engine table: {definition}", flush=True)  # noqa: T201
    etc = config.write()
    # The import boots an engine that would read ./config.xml, so it happens elsewhere.
    os.chdir("/")
    from chdb import _chdb

    os.chdir(etc)
    stopping = threading.Event()
    session = threading.Thread(target=_session, args=(_chdb, config.home), daemon=True)
    session.start()
    while session.is_alive() and not ports.answers(config.host, config.native_port):
        time.sleep(0.02)
    # Only now: the engine takes the signals for itself when its session begins.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    while session.is_alive() and not stopping.wait(0.2):
        pass
    if session.is_alive():
        _end_session(config)
        session.join(10)
    return 0 if stopping.is_set() else 1


def _session(chdb: object, home: Path) -> None:
    """Hold the session that the listeners live in."""
    try:
        result = chdb.query(_SERVE, "TSV", path=str(home / "db"))  # type: ignore[attr-defined]
        said = result.error_message() if result.has_error() else ""
    except RuntimeError as error:
        said = str(error)
    if said and "QUERY_WAS_CANCELLED" not in said:
        print(said, file=sys.stderr, flush=True)  # noqa: T201


def _end_session(config: ServerConfig) -> None:
    """Kill the query that keeps the session, so that the engine shuts down whole.

    Over a connection that closes at once: the engine waits for those that are open.
    """
    kill = urllib.request.Request(
        f"http://{config.host}:{config.http_port}/",
        # A local session's queries have an empty user.
        data=b"KILL QUERY WHERE user = '' AND query LIKE '%sleepEachRow(1)%'",
        headers={"X-ClickHouse-User": config.user, "X-ClickHouse-Key": config.password},
    )
    urllib.request.urlopen(kill, timeout=5).close()  # noqa: S310


def main() -> int:
    """Read the arguments and the environment, then serve."""
    home, http_port, native_port, *readable = sys.argv[1:]
    return serve(
        ServerConfig(
            home=Path(home),
            http_port=int(http_port),
            native_port=int(native_port),
            user=os.environ["C360_CLICKHOUSE_USER"],
            password=os.environ["C360_CLICKHOUSE_PASSWORD"],
            analyst_password=os.environ["C360_ANALYST_PASSWORD"],
            readable=tuple(readable),
        )
    )


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The engine's threads outlive the interpreter's own shutdown, and crash in it.
    os._exit(code)
