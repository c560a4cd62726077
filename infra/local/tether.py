"""Run a command that dies with whoever started it: `tether.py PARENT_PID command…`.

Run as a file, not imported: it needs the standard library only, so it becomes the
command within milliseconds. The kernel watches the *thread* that started it: start
tethered processes from a thread that lives as long as they should.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent, then become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        # SIGKILL, because a part that hangs would survive a polite request, and each
        # part is built to be killed at any instant.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was told
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    main()
