"""The log as the tables hold it, in memory: what a profile as of a time is read from."""

from collections import defaultdict
from typing import NamedTuple

from models.asof import Entry, fold, group
from models.events import encode_event
from models.topics import EVENTS
from projections import events

PARTITIONS = 3


class Record(NamedTuple):
    """One record of `events`, as projecting reads it."""

    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: tuple = ()
    timestamp: int = 0
    topic: str = EVENTS.name


class Tables:
    """What the projection makes of a log of several partitions, found as ClickHouse finds it."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._ends = [0] * PARTITIONS
        self._log = defaultdict(list)
        self._places = defaultdict(set)

    def append(self, event) -> Record:
        """Put an event into the partition of its customer."""
        key = event.customer_id.encode()
        partition = sum(key) % PARTITIONS
        record = Record(partition, self._ends[partition], key, encode_event(event))
        self._ends[partition] += 1
        self.records.append(record)
        for table, row in events.project(record):
            said = dict(zip(table.names, row, strict=True))
            if table.name == "log":
                self._log[said["customer_id"]].append(said)
            elif table.name == "places":
                self._places[said["root"]].add(said["customer_id"])
        return record

    def moves_of(self, ids):
        kinds = ("customer_merged", "customer_regrouped")
        return {one: [_entry(row) for row in self._log[one] if row["type"] in kinds] for one in ids}

    def led_to(self, ids):
        return {told for one in ids for told in self._places[one]}

    def entries(self, ids):
        found = [_entry(row) for one in ids for row in self._log[one] if row["direct"]]
        return found[::-1]  # ClickHouse promises no order

    def ask(self, customer_id, at_ms=None, known_ms=None):
        """Return the group, and what its events give, as of then."""
        of = group(customer_id, self.moves_of, self.led_to, known_ms)
        return of, fold(self.entries(of.members), at_ms, known_ms)


def _entry(row):
    return Entry(row["log_partition"], row["log_offset"], row["body"])
