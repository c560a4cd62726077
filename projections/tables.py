"""The catalogue of read models: every table, and what each topic's records become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from models import topics
from models.topics import Topic
from projections import (
    alerts,
    dead_letters,
    dead_rows,
    decisions,
    deliveries,
    events,
    identities,
    identity_links,
    log,
    model_log,
    model_reports,
    moves,
    order_lines,
    outcomes,
    places,
    populations,
    profiles,
    scores,
    touchpoints,
)
from projections.rows.gathering import gathered
from projections.table import Projected, Record, Row, Table

# A batch is written in this order: whom the log gives a place is found from its first moment.
TABLES: Final = (
    places.TABLE,
    log.TABLE,
    touchpoints.TABLE,
    order_lines.TABLE,
    moves.TABLE,
    identity_links.TABLE,
    identities.TABLE,
    profiles.TABLE,
    scores.TABLE,
    decisions.TABLE,
    outcomes.TABLE,
    populations.TABLE,
    alerts.TABLE,
    deliveries.TABLE,
    model_reports.METRICS,
    model_reports.CHANGES,
    dead_letters.TABLE,
    dead_letters.REDRIVES,
    dead_rows.TABLE,
)
# Moves first: a customer's later rows then show under the winner from the start.
ROUTES: Final[dict[Topic, Callable[[Record], Projected]]] = {
    topics.EVENTS: events.project,
    topics.IDENTITY_LINKS: identity_links.project,
    topics.IDENTITIES: identities.project,
    topics.PROFILES: profiles.project,
    topics.SCORES: scores.project,
    topics.DECISIONS: decisions.project,
    topics.EXAMPLES: model_log.project,
    topics.ALERTS: alerts.project,
    topics.DELIVERIES: deliveries.project,
    topics.MODEL_REPORTS: model_reports.project,
    topics.DEAD_LETTERS: dead_letters.project,
}
# Whose records a table's rows are made of; dead rows are of any topic.
SOURCES: Final[dict[Table, Topic]] = {
    log.TABLE: topics.EVENTS,
    touchpoints.TABLE: topics.EVENTS,
    order_lines.TABLE: topics.EVENTS,
    moves.TABLE: topics.EVENTS,
    places.TABLE: topics.EVENTS,
    identity_links.TABLE: topics.IDENTITY_LINKS,
    identities.TABLE: topics.IDENTITIES,
    profiles.TABLE: topics.PROFILES,
    scores.TABLE: topics.SCORES,
    decisions.TABLE: topics.DECISIONS,
    outcomes.TABLE: topics.EXAMPLES,
    populations.TABLE: topics.EXAMPLES,
    alerts.TABLE: topics.ALERTS,
    deliveries.TABLE: topics.DELIVERIES,
    model_reports.METRICS: topics.MODEL_REPORTS,
    model_reports.CHANGES: topics.MODEL_REPORTS,
    dead_letters.TABLE: topics.DEAD_LETTERS,
    dead_letters.REDRIVES: topics.DEAD_LETTERS,
}
# What a rebuild keeps of the tables when their topic forgets: ledgers, kept for a time.
LEDGERS: Final[dict[Topic, tuple[Table, ...]]] = {
    topics.SCORES: (scores.TABLE,),
    topics.DECISIONS: (decisions.TABLE,),
    topics.EXAMPLES: (outcomes.TABLE, populations.TABLE),
    topics.ALERTS: (alerts.TABLE,),
    topics.DELIVERIES: (deliveries.TABLE,),
    topics.MODEL_REPORTS: (model_reports.METRICS, model_reports.CHANGES),
    topics.DEAD_LETTERS: (dead_letters.TABLE, dead_letters.REDRIVES),
}

Rows = dict[Table, list[Row]]


def project(topic: Topic, records: list[Record]) -> Rows:
    """Return the rows of `records` by table, in their order; an unreadable one is a dead row."""

    def dead(record: Record, error: Exception) -> Projected:
        said = f"{type(error).__name__}: {error}"
        return ((dead_rows.TABLE, dead_rows.to_row(topic.name, record, said)),)

    rows: Rows = gathered(records, ROUTES[topic], dead)
    return {table: rows[table] for table in TABLES if table in rows}


def standing(topic: Topic, records: Sequence[Record]) -> list[Record]:
    """Return the records that stand, in their order.

    Of a topic that keeps the newest record of a key, no other: its row would be replaced.
    """
    if not topic.compacted:
        return list(records)
    last = {record.key: at for at, record in enumerate(records)}
    return [
        record for at, record in enumerate(records) if record.key is None or last[record.key] == at
    ]
