"""What ClickHouse keeps of identities, as `c360 identity` asks it: links, moves, refusals.

A second or so behind the resolver. Ids go in as parameters, never into the SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from infra.errors import UserError
from infra.settings import Settings
from models.links import Edge, Identity
from projections.client import connect

MOST: Final = 200  # links and moves shown of one customer, the newest
Json = dict[str, Any]


class Ledger:
    """The tables of identity."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def group(self, root: str) -> list[str]:
        """Return all who are one with a root, itself first."""
        others = self._rows(
            "SELECT merged_id FROM identity WHERE customer_id = {root:String} ORDER BY merged_id",
            root=root,
        )
        return [root, *(one["merged_id"] for one in others)]

    def nodes(self, group: Sequence[str]) -> dict[str, Identity]:
        """Return the resolver's nodes of a group, as one ring."""
        rows = self._rows(
            "SELECT customer_id, type, parent, members, generation, shared, refusals,"
            " `links.other` AS other, `links.kind` AS kind, `links.state` AS state"
            " FROM identities FINAL WHERE customer_id IN {ids:Array(String)}",
            ids=list(group),
        )
        known = {one["customer_id"]: one for one in rows}
        ring = [one for one in group if one in known]
        after = dict(zip(ring, [*ring[1:], *ring[:1]], strict=True)) if len(ring) > 1 else {}
        return {
            id: Identity(
                type=one["type"],
                parent=one["parent"],
                next=after.get(id, ""),
                counts=one["members"] if len(ring) > 1 else {},
                links={
                    other: Edge(kind, state)
                    for other, kind, state in zip(
                        one["other"], one["kind"], one["state"], strict=True
                    )
                },
                shared=bool(one["shared"]),
                generation=one["generation"],
                refusals=one["refusals"],
            )
            for id, one in known.items()
        }

    def links(self, group: Sequence[str]) -> list[Json]:
        """Return the newest links to and from a group, and what people said; oldest first."""
        rows = self._rows(
            "SELECT link_id, kind, customer_id, type, other, other_type, event_id, at, by, reason"
            " FROM identity_links FINAL"
            " WHERE customer_id IN {ids:Array(String)} OR other IN {ids:Array(String)}"
            " ORDER BY log_offset DESC LIMIT {most:UInt32}",
            ids=list(group),
            most=MOST,
        )
        return rows[::-1]

    def moves(self, group: Sequence[str]) -> list[Json]:
        """Return the newest merges and places of a group's members, oldest first."""
        rows = self._rows(
            "SELECT customer_id, at, kind, root, cause, by, reason, link_offset"
            " FROM identity_moves FINAL"
            " WHERE customer_id IN {ids:Array(String)} OR root IN {ids:Array(String)}"
            " ORDER BY link_offset DESC LIMIT {most:UInt32}",
            ids=list(group),
            most=MOST,
        )
        return rows[::-1]

    def refused(self, group: Sequence[str]) -> list[Json]:
        """Return the newest links that were refused to a group."""
        return self._rows(
            "SELECT customer_id, said.1 AS link_id, said.2 AS other, said.3 AS reason, said.4 AS at"
            " FROM identities FINAL"
            " ARRAY JOIN arrayZip(`refused.link_id`, `refused.other`, `refused.reason`,"
            " `refused.at`) AS said WHERE customer_id IN {ids:Array(String)} ORDER BY at",
            ids=list(group),
        )

    def reasons(self) -> list[Json]:
        """Return how many links were refused, and to how many customers, by reason."""
        return self._rows(
            "SELECT reason, sum(refused) AS links, count() AS customers, max(newest) AS at"
            " FROM identity_refusals GROUP BY reason ORDER BY links DESC"
        )

    def most_refused(self, limit: int) -> list[Json]:
        """Return the customers with most refusals by reason: shared devices and nobody's names."""
        return self._rows(
            "SELECT customer_id, reason, refused AS links, members, newest AS at"
            " FROM identity_refusals ORDER BY links DESC, customer_id LIMIT {limit:UInt32}",
            limit=limit,
        )

    def _rows(self, sql: str, **given: object) -> list[Json]:
        return [dict(one) for one in self._client.query(sql, given).named_results()]


@contextmanager
def ledger(settings: Settings) -> Iterator[Ledger]:
    """Ask the tables of these settings. Raises UserError when ClickHouse does not answer."""
    try:
        with connect(settings) as client:
            yield Ledger(client)
    except (Error, OSError) as error:
        said = " ".join(str(error).split())[:200]
        raise UserError(
            f"ClickHouse does not answer at {settings.clickhouse_url}: {said}",
            "start it: c360 up; `c360 migrate` brings its tables up to date",
        ) from error


def plain(rows: Iterable[Json]) -> list[Json]:
    """Return rows as JSON takes them: times in ISO 8601."""
    return [
        {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in row.items()
        }
        for row in rows
    ]
