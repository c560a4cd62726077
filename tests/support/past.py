"""The log as the tables hold it, in memory: what a profile as of a time is read from."""

from collections import defaultdict
from typing import NamedTuple

from models.asof import Entry, fold, group
from models.events import decode_event, encode_event
from models.identity import customer_id_of
from models.profile.facts import names
from models.topics import EVENTS
from projections import events
from projections.past import PastUnavailableError, Paths, Records

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

    def known_as(self, identifier, ids, known_ms):
        """Return whom an identifier led to: whom it names, else who had it first."""
        named = customer_id_of(identifier)
        led = [
            (one != named, min(event.occurred_ms, event.received_ms), one)
            for one in {named, *ids}
            for row in self._log[one]
            if (event := decode_event(row["body"])).received_ms <= known_ms
            and (one == named or (row["direct"] and str(identifier) in map(str, names(event))))
        ]
        return min(led)[2] if led else None

    def ask(self, customer_id, at_ms=None, known_ms=None):
        """Return the group, and what its events give, as of then."""
        of = group(customer_id, self.moves_of, self.led_to, known_ms)
        return of, fold(self.entries(of.members), at_ms, known_ms)


class Remembered:
    """Answers as `projections.past.Past` does, from tables in memory; the ledgers are empty."""

    def __init__(self, tables):
        self.tables = tables
        self.down = False

    def paths(self, ids):
        led = {root: self.tables.led_to([root]) for root in ids}
        return Paths(self.tables.moves_of(ids), led)

    def records(self, ids, known_ms):
        self._answers()
        until = {one.partition: one.offset for one in self.tables.records}
        return Records(self.tables.entries(ids), until)

    def known_as(self, identifier, ids, known_ms):
        self._answers()
        return self.tables.known_as(identifier, ids, known_ms)

    def score(self, ids, at_ms, known_ms):
        return None

    def decision(self, ids, at_ms, known_ms):
        return None

    def edges(self, ids, at_ms, known_ms):
        return []

    def _answers(self):
        if self.down:
            raise PastUnavailableError("no answer")


def _entry(row):
    return Entry(row["log_partition"], row["log_offset"], row["body"])
