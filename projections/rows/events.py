"""Rows of a record of `events`: of the log itself, and of a touchpoint that came directly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from models.events.codec import LEAN, TOUCHPOINTS
from models.topics import EVENTS
from projections.rows.times import milliseconds
from projections.rows.touchpoint_columns import AT
from projections.rows.touchpoints import read, to_row

_FORWARDED: Final = f"{EVENTS.name}/"
_OF_THE_STREAM: Final = frozenset(
    [str(kind.model_fields["type"].default) for kind in LEAN if kind not in TOUCHPOINTS]
)
_OCCURRED: Final = AT["occurred_at"]
_RECEIVED: Final = AT["received_at"]
Laid = tuple[object, ...]


class EventRows:
    """Makes the rows of a record; the tables lie outside, and are told once.

    `more` makes what a kind of event beyond these two tables says: (event, partition, offset).
    """

    def __init__(
        self, log: object, touchpoints: object, more: dict[str, Callable[[Any, int, int], Any]]
    ) -> None:
        self._log = log
        self._touchpoints = touchpoints
        self._more = more

    def project(self, record: Any) -> list[Any]:
        """Return the rows of a record, each with its table.

        Raises KeyError, TypeError or ValueError when it is no event.
        """
        value: bytes | None = record.value
        if value is None:
            raise ValueError("no event: a null value")
        partition: int = record.partition
        offset: int = record.offset
        event = read(value)
        kind: str = event["type"]
        origin: str = event.get("origin", "")
        direct = kind not in _OF_THE_STREAM and not origin.startswith(_FORWARDED)
        occurred: object
        received: object
        rows: list[Any]
        if direct:
            touchpoint = to_row(event, partition, offset)
            occurred, received = touchpoint[_OCCURRED], touchpoint[_RECEIVED]
            rows = [(self._touchpoints, touchpoint)]
        else:
            occurred = milliseconds(event["occurred_at"])
            received = milliseconds(event["received_at"])
            rows = []
        log: Laid = (
            *(event["customer_id"], partition, offset, kind, event["event_id"]),
            *(occurred, received, direct, value),
        )
        rows.append((self._log, log))
        more = self._more.get(kind)
        if more is not None and (direct or kind in _OF_THE_STREAM):
            rows += more(event, partition, offset)
        return rows
