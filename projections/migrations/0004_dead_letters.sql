-- What was refused, what was sent again, and what could not be projected.
CREATE TABLE IF NOT EXISTS dead_letters
(
    at            DateTime64(3, 'UTC') COMMENT 'when refused, UTC' CODEC(Delta, ZSTD(1)),
    reason        LowCardinality(String) COMMENT 'why, from a fixed list',
    field         String COMMENT 'path of the offending field',
    detail        String COMMENT 'why, in words' CODEC(ZSTD(3)),
    source        String COMMENT 'topic/partition/offset it was read from',
    key           String COMMENT 'PII: the message''s key',
    value         String COMMENT 'PII: the message, bytes that are no UTF-8 as \\xff' CODEC(ZSTD(3)),
    headers       Map(LowCardinality(String), String) COMMENT 'the headers it came with' CODEC(ZSTD(3)),
    log_partition UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset    UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(at)
ORDER BY (at, source, log_partition, log_offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Messages that were refused, whole. PII may be in them.';

CREATE TABLE IF NOT EXISTS redrives
(
    letter_offset UInt64 COMMENT 'offset of the letter in its topic',
    at            DateTime64(3, 'UTC') COMMENT 'when sent again, UTC' CODEC(Delta, ZSTD(1)),
    log_partition UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset    UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
ORDER BY letter_offset
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Dead letters that were sent again.';

CREATE TABLE IF NOT EXISTS dead_rows
(
    topic         LowCardinality(String) COMMENT 'topic it is in',
    at            DateTime64(3, 'UTC') COMMENT 'its time, UTC' CODEC(Delta, ZSTD(1)),
    error         String COMMENT 'why no row could be made of it',
    key           String COMMENT 'PII: its key',
    value         String COMMENT 'PII: the record, bytes that are no UTF-8 as \\xff' CODEC(ZSTD(3)),
    log_partition UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset    UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
ORDER BY (topic, log_partition, log_offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Records of the log that no row could be made of. PII may be in them.';
