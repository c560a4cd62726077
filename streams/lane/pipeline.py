"""How many requests the producer has under way to one broker: aiokafka's own is one.

With one, an agent's records wait for those of another, though they go to other partitions.
A partition has one at a time as before, so the order within it and the sequence numbers by
which the broker knows a repeated one stay as they are.
"""

from __future__ import annotations

from collections import Counter

MOST = 5  # Java's default


class Busy(set[int]):
    """The brokers that have as many requests under way as may be, as the sender counts them."""

    def __init__(self) -> None:
        super().__init__()
        self._under_way: Counter[int] = Counter()

    def add(self, node: int) -> None:
        """Count a request that begins."""
        self._under_way[node] += 1
        if self._under_way[node] >= MOST:
            super().add(node)

    def remove(self, node: int) -> None:
        """Count a request that has ended."""
        self._under_way[node] -= 1
        self.discard(node)
