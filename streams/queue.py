"""What is due when: a heap over what a table holds, by partition.

The queue only reminds. Whoever pops looks the entry up in the table, which is the
truth, so a reminder that is out of date does no harm.
"""

from __future__ import annotations

import heapq


class Queue:
    """Keys of owned partitions, earliest due first."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, bytes]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, due_ms: int, partition: int, key: bytes) -> None:
        """Remind of a key at `due_ms`."""
        heapq.heappush(self._heap, (due_ms, partition, key))

    def pop(self, now_ms: int) -> tuple[int, bytes] | None:
        """Return the partition and key that have been due longest; None when none is."""
        if not self._heap or self._heap[0][0] > now_ms:
            return None
        _, partition, key = heapq.heappop(self._heap)
        return partition, key

    def drop(self, partition: int) -> None:
        """Forget a partition: its owner is another one now."""
        self._heap = [entry for entry in self._heap if entry[1] != partition]
        heapq.heapify(self._heap)
