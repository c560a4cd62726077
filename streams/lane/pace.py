"""How many records a batch holds: what takes an agent about a twentieth of a second of CPU.

Cheap work gets long batches: a key is written once a batch, and a write waited for
once. Dear work gets short ones, so that neither the event loop nor an answer waits long.
What other processes take of the machine does not count: where all is slow, brokers are
too, and short batches would wait for them the more often. Nor does a batch hold more than
MOST_BYTES, by what records were like: so a flood of large ones grows no memory.
"""

from __future__ import annotations

SPAN = 0.05  # seconds of CPU of an agent's work
FIRST = 500  # records, as long as nothing is known
LEAST, MOST = 100, 8_000
MOST_BYTES = 4 * 2**20
WEIGHT = 0.2  # of a new batch against those before


class Pace:
    """What a record costs, and its size, by topic."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._bytes: dict[str, float] = {}
        self.most: dict[str, int] = {}  # by topic, no more than so many, whatever they cost

    def records(self, topic: str) -> int:
        """Return how many records the topic's next batch may hold."""
        each, most = self._seconds.get(topic), self.most.get(topic, MOST)
        if each is None:
            return min(FIRST, most)
        fitting = max(1, int(MOST_BYTES / max(self._bytes[topic], 1.0)))
        return min(fitting, max(LEAST, min(most, int(SPAN / max(each, 1e-9)))))

    def took(self, topic: str, records: int, seconds: float, size: int) -> None:
        """Learn from a batch; `seconds` is the CPU time of the agent's work, `size` is in bytes."""
        if records < min(LEAST, self.records(topic)):
            return  # it tells more about the machine's mood
        for known, new in ((self._seconds, seconds / records), (self._bytes, size / records)):
            before = known.get(topic, new)
            known[topic] = before + (new - before) * WEIGHT
