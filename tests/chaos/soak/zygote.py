"""Where workers come from: a process that has imported what they need, and forks.

It reads a request a line on stdin (JSON: environment and log, or the pid to ask about)
and answers a line on stdout. Everybody it made ends with it.
"""

import ctypes
import json
import os
import signal
import sys
import traceback

os.environ.setdefault("F_LOOP", "uvloop")

import faust.transport.drivers.aiokafka  # noqa: F401
import httpx  # noqa: F401
import standardwebhooks  # noqa: F401

# All that a worker imports but `streams.app`, which reads the settings.
import models.online.learner
import models.react  # noqa: F401
import streams.lane.conf
import streams.lane.pages  # noqa: F401
from streams.__main__ import load

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer requests until stdin ends."""
    load()
    for line in sys.stdin:
        request = json.loads(line)
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = {"code": os.waitstatus_to_exitcode(status) if pid else None}
        else:
            answer = {"pid": _fork(request)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _fork(request: dict) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for old, new in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(old, new)
    os.environ.clear()
    os.environ.update(request["environ"])
    sys.argv = ["streams", "worker"]
    try:
        from streams.__main__ import main as work

        code = work()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    main()
