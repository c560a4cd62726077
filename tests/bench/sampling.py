"""Where the time goes: a sampling profile of another process (py-spy), by function.

Self time is what a function spends itself, the C code that it calls included: C has no
frames here. Total time includes the functions that it calls. Only the thread that holds
the interpreter counts: it is what the others wait for.
"""

import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RATE = 500  # samples a second
SHOWN = 40


def recording(out: Path, *target: str) -> list[str]:
    """Return the command that samples `target` ("--pid", "12" or "--", "python", …) into `out`."""
    beside = Path(sys.executable).with_name("py-spy")
    found = str(beside) if beside.exists() else shutil.which("py-spy")
    if found is None:
        raise FileNotFoundError("py-spy is missing: `make setup`")
    kept = ("--rate", str(RATE), "--format", "raw", "--function", "--gil")
    return [found, "record", *kept, "--output", str(out), *target]


@contextmanager
def sampled(pid: int, out: Path) -> Iterator[None]:
    """Sample a running process for the time of the block; its stacks are in `out` afterwards."""
    spy = subprocess.Popen(
        recording(out, "--pid", str(pid)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        yield
    finally:
        spy.send_signal(signal.SIGINT)  # it writes what it has
        said, _ = spy.communicate(timeout=60)
    if not out.exists():
        raise RuntimeError(f"py-spy wrote nothing: {said.decode(errors='replace')[-500:]}")


class Profile:
    """Collapsed stacks ("outer;inner 12" a line), counted by function.

    `within`: only stacks with a frame that begins so.
    """

    def __init__(self, stacks: str, within: str = "") -> None:
        self.samples = 0
        self.own: Counter[str] = Counter()
        self.total: Counter[str] = Counter()
        for line in stacks.splitlines():
            stack, _, count = line.rpartition(" ")
            frames = stack.split(";")
            if any(frame.startswith(within) for frame in frames):
                self.samples += int(count)
                self.own[frames[-1]] += int(count)
                for frame in set(frames):
                    self.total[frame] += int(count)

    def top(self, number: int = 15) -> list[list]:
        """Return the functions with the most self time, each with its share of all samples."""
        return [[f, round(n / self.samples, 4)] for f, n in self.own.most_common(number)]

    def text(self, title: str) -> str:
        """Return the profile for people."""
        lines = [title, f"{self.samples:,} samples", "", "  self  total  function"]
        for name, count in self.own.most_common(SHOWN):
            own, total = count / self.samples, self.total[name] / self.samples
            lines.append(f"{own:6.1%} {total:6.1%}  {name}")
        return "\n".join(lines) + "\n"
