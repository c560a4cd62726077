"""What a soak came to, kept as a small file beside machine, date and commit.

It is written anew behind each seed: a soak that is cut short leaves what it had by then.
"""

import json
from pathlib import Path


class Result:
    """The seeds so far; `about` says where, when and with what they ran."""

    def __init__(self, about: dict, file: Path | None = None) -> None:
        self._about = about
        self._file = file
        self.passed: list[int] = []
        self.failed: list[int] = []
        self.seconds: list[float] = []

    def add(self, seed: int, passed: bool, seconds: float) -> None:
        """Note how a seed ended, and write all to the file, if there is one."""
        (self.passed if passed else self.failed).append(seed)
        self.seconds.append(seconds)
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(self._said(), indent=1) + "\n", encoding="utf-8")

    def _said(self) -> dict:
        return {
            "about": self._about,
            "seeds": len(self.seconds),
            "passed": self.passed,
            "failed": self.failed,
            "seconds": round(sum(self.seconds), 1),
            "seconds_longest_seed": round(max(self.seconds), 1),
        }
