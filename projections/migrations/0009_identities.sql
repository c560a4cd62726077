-- The resolver's forest as it is now: who hangs on whom, by which links, and what was refused.
CREATE TABLE IF NOT EXISTS identities
(
    customer_id       String COMMENT 'the customer id',
    type              LowCardinality(String) COMMENT 'kind of identifier that it follows from',
    parent            String COMMENT 'towards the one that stands for its group; empty: itself',
    members           Map(LowCardinality(String), UInt64) COMMENT 'who stands for a group: its members by kind of identifier',
    generation        Int64 COMMENT 'offset on identity-links of the newest unmerge it was in; -1: none',
    shared            UInt8 COMMENT '1: a device of too many people, it belongs to nobody',
    `links.other`     Array(String) COMMENT 'its links, kept with their weaker end: the other end' CODEC(ZSTD(3)),
    `links.kind`      Array(LowCardinality(String)) COMMENT 'observed, identified, aliased, stated' CODEC(ZSTD(3)),
    `links.state`     Array(LowCardinality(String)) COMMENT 'holds, known beside another that holds, or cut by an unmerge' CODEC(ZSTD(3)),
    refusals          Map(LowCardinality(String), UInt64) COMMENT 'links that were not followed, by reason' CODEC(ZSTD(3)),
    `refused.link_id` Array(String) COMMENT 'the newest of them' CODEC(ZSTD(3)),
    `refused.other`   Array(String) COMMENT 'customer at the other end' CODEC(ZSTD(3)),
    `refused.reason`  Array(LowCardinality(String)) COMMENT 'two_users, too_large, too_many, unmerged, shared' CODEC(ZSTD(3)),
    `refused.at`      Array(DateTime64(3, 'UTC')) COMMENT 'when it was seen, UTC' CODEC(ZSTD(3)),
    log_partition     UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset        UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
ORDER BY customer_id
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 1024
COMMENT 'Each customer id''s place among others, as the resolver has it now.';

CREATE OR REPLACE VIEW identity_refusals
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Links that were not followed, by customer and reason: how many, and when last.'
AS SELECT
    customer_id,
    reason,
    refused,
    arraySum(mapValues(members)) AS members,
    arrayMax(arrayFilter((at, why) -> why = reason, refused_at, refused_reason)) AS newest
FROM
(
    SELECT
        customer_id,
        members,
        `refused.at` AS refused_at,
        `refused.reason` AS refused_reason,
        counted.1 AS reason,
        counted.2 AS refused
    FROM identities FINAL
    ARRAY JOIN CAST(refusals, 'Array(Tuple(String, UInt64))') AS counted
);
