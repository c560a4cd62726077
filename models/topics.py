"""The topics: the published language, all that the write and the read side share.

Names here are bare; a deployment puts its prefix before each (`Settings.topic`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

# A paused worker's late write may come after the new owner's. Compaction must not
# make it the only one left before recovery could have seen both.
COMPACTION_LAG = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Topic:
    """One Kafka topic.

    `partitions` None: as many as the deployment's `partitions` setting, so that
    topics keyed by customer are partitioned alike. `keep` None: for ever. `whole`: of
    what a batch changes there is all or nothing, however a crash cuts in.
    """

    name: str
    key: str
    partitions: int | None = None
    keep: timedelta | None = None
    compacted: bool = False
    whole: bool = False


TOUCHPOINTS = Topic("touchpoints", key="any identifier", keep=timedelta(days=7))
DEAD_LETTERS = Topic("dead-letters", key="as received", partitions=1, keep=timedelta(days=30))
# One partition: one writer sees every link in one order, so merges cannot race.
IDENTITY_LINKS = Topic("identity-links", key="customer id", partitions=1)
# The newest cluster of each customer: changelog of `resolve`.
IDENTITIES = Topic("identities", key="customer id", partitions=1, compacted=True, whole=True)
EVENTS = Topic("events", key="customer id")
PROFILES = Topic("profiles", key="customer id", compacted=True)
SCORES = Topic("scores", key="customer id", keep=timedelta(days=90))
DECISIONS = Topic("decisions", key="customer id", keep=timedelta(days=90))
ALERTS = Topic("alerts", key="customer id", keep=timedelta(days=90))
DELIVERIES = Topic("deliveries", key="customer id", keep=timedelta(days=90))
# What is still to be delivered, and what was: changelog of `deliver`.
OUTBOX = Topic("outbox", key="alert id", compacted=True)
EXAMPLES = Topic("examples", key="model", partitions=2, keep=timedelta(days=90))
MODEL_SNAPSHOTS = Topic("model-snapshots", key="model", partitions=2, compacted=True)
# How good the models are and what changed them, told at certain examples.
MODEL_REPORTS = Topic("model-reports", key="model", partitions=1, keep=timedelta(days=365))
ERASURES = Topic("erasures", key="customer id")

CATALOGUE = (
    TOUCHPOINTS,
    DEAD_LETTERS,
    IDENTITY_LINKS,
    IDENTITIES,
    EVENTS,
    PROFILES,
    SCORES,
    DECISIONS,
    ALERTS,
    DELIVERIES,
    OUTBOX,
    EXAMPLES,
    MODEL_SNAPSHOTS,
    MODEL_REPORTS,
    ERASURES,
)
