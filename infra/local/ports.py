"""Ports on the loopback interface: is one free, and if not, who has it.

A port is only ever tried by binding it; nobody's process is asked or touched.
"""

from __future__ import annotations

import random
import socket
from collections import deque

import psutil

from infra.errors import UserError
from infra.settings import PREFIX

LOOPBACK = "127.0.0.1"
# Below the range from which the system takes ports for outgoing connections.
TEST_PORTS = range(20_000, 30_000)
INNER_PORTS = range(30_000, 32_000)  # of servers that take one by themselves
# Given lately by this process: whoever asked may not have bound his yet.
_given: deque[int] = deque(maxlen=1_000)


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could bind this port now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def answers(host: str, port: int, seconds: float = 1.0) -> bool:
    """Whether anything accepts a connection there."""
    try:
        socket.create_connection((host, port), seconds).close()
    except OSError:
        return False
    return True


def free_port(following: int = 0, among: range = TEST_PORTS) -> int:
    """Return a port that is free now, with those `following`, and no outgoing connection takes.

    None is returned again soon. Raises UserError when there is none.
    """
    for first in random.Random().sample(among, len(among)):  # noqa: S311  # no secret
        wanted = range(first, first + following + 1)
        if not any(port in _given or not is_free(port) for port in wanted):
            _given.extend(wanted)
            return first
    raise UserError(f"no free port was found between {among.start} and {among.stop}")


def require_free(port: int, what: str, setting: str) -> None:
    """Raise UserError, naming who has the port, unless `what` could bind it."""
    if is_free(port):
        return
    raise UserError(
        f"{what} cannot start: port {port} is taken by {holder(port)}",
        f"stop that program, or choose another port with {PREFIX}{setting.upper()}",
    )


def holder(port: int) -> str:
    """Say who listens on a port, as far as this user may see."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status != psutil.CONN_LISTEN or connection.laddr.port != port:
                continue
            if connection.pid:
                process = psutil.Process(connection.pid)
                return f"process {process.pid} ({' '.join(process.cmdline())[:80].strip()})"
    except psutil.Error:  # not ours to see, or gone meanwhile
        pass
    return "another program (of another user, perhaps)"
