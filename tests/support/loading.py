"""Tables as they once were, and records put into them as projecting does, without a broker."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from infra.settings import Settings
from models.topics import Topic
from projections.client import connect
from projections.load import Chunk, Loader
from projections.migrate import FOLDER, migrate


class Record(NamedTuple):
    """One record of partition 0 of a topic, as projecting reads it."""

    offset: int
    key: bytes
    value: bytes
    headers: tuple = ()
    timestamp: int = 1_700_000_000_000
    partition: int = 0
    topic: str = "t"


def load(
    settings: Settings, topic: Topic, keyed: Sequence[tuple[bytes, bytes]], first: int = 0
) -> None:
    """Load keys and values of a topic as one batch, whose first offset is `first`."""
    records = [Record(first + at, key, value) for at, (key, value) in enumerate(keyed)]
    with closing(Loader(lambda: connect(settings), settings.clickhouse_database)) as loader:
        loader.load([Chunk(topic, 0, first, records[-1].offset, records)])


def migrate_before(settings: Settings, number: str, folder: Path) -> None:
    """Make the tables as they were before the migration of that number; `folder` is empty."""
    for file in FOLDER.glob("*.sql"):
        if file.name < number:
            (folder / file.name).write_bytes(file.read_bytes())
    migrate(settings, folder)
