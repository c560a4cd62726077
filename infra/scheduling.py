"""How soon a process gets a core that others want too, and how much of it: asked of Linux.

Who answers from memory needs little of a core and needs it soon; whoever works on batches takes
what is left. A process asks for itself, before it has threads: they inherit it. What the system
does not grant is told, and nothing else changes.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from pathlib import Path
from typing import Final

SLICE_NS: Final = 100_000  # the shortest that Linux grants, from 6.12 on; 2.8 ms is the usual one
AUTOGROUP: Final = Path("/proc/self/autogroup")
# sched_setattr(2): the C library has it since glibc 2.41 only.
_SETATTR: Final = {"x86_64": 314, "aarch64": 274}
_ATTRIBUTES: Final = struct.Struct("=IIQiIQQQ")  # struct sched_attr in its first version


def prefer(nice: int) -> list[str]:
    """Ask for short turns, soon, and for the weight of `nice`; return what was not granted.

    sched(7): each session is an autogroup, cores are shared among these first, and a nice value
    counts within one only. So the session gets the weight too, where it is this process' own.
    """
    if not sys.platform.startswith("linux") or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return []  # whoever started it by another policy has chosen one
    wanted = [(f"nice {nice}", _weigh), ("a slice of its own", _shorten)]
    if os.getsid(0) == os.getpid():
        wanted.insert(1, (f"nice {nice} for its session", _weigh_session))
    refused = []
    for name, ask in wanted:
        try:
            ask(nice)
        except OSError as error:
            refused.append(f"{name}: {error.strerror}")
    return refused


def _weigh(nice: int) -> None:
    if nice < os.getpriority(os.PRIO_PROCESS, 0):
        os.setpriority(os.PRIO_PROCESS, 0, nice)


def _weigh_session(nice: int) -> None:
    if AUTOGROUP.exists():  # a kernel may have none
        AUTOGROUP.write_text(str(nice), encoding="ascii")


def _shorten(_: int) -> None:
    """Ask for the slice. An older kernel takes the call and changes nothing."""
    call = _SETATTR.get(platform.machine())
    if call is None:
        return
    nice = os.getpriority(os.PRIO_PROCESS, 0)  # is set along with it: stays as it is
    asked = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, SLICE_NS, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(ctypes.c_long(call), ctypes.c_long(0), asked, ctypes.c_long(0)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
