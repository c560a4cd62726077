-- What a profile as of any time is folded from. No view shows it: it is all that is known of people.
CREATE TABLE IF NOT EXISTS log
(
    customer_id   String COMMENT 'PII: whose record it is: the key on the topic',
    log_partition UInt16 COMMENT 'partition of the topic events',
    log_offset    UInt64 COMMENT 'offset there' CODEC(Delta, ZSTD(1)),
    type          LowCardinality(String) COMMENT 'kind of event, those of the stream itself too',
    event_id      String COMMENT 'the event''s id' CODEC(ZSTD(1)),
    occurred_at   DateTime64(3, 'UTC') COMMENT 'when it happened, UTC' CODEC(Delta, ZSTD(1)),
    received_at   DateTime64(3, 'UTC') COMMENT 'when it reached the log, UTC' CODEC(Delta, ZSTD(1)),
    direct        UInt8 COMMENT '1: a touchpoint that first came under this customer id',
    body          String COMMENT 'PII: the record''s value as on the topic, JSON' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (customer_id, log_partition, log_offset)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 1024
COMMENT 'Every record of the log, whole. Not for analysts.';

CREATE TABLE IF NOT EXISTS places
(
    root          String COMMENT 'customer id that was to stand for it',
    customer_id   String COMMENT 'customer id that was told so',
    log_partition UInt16 COMMENT 'partition of the topic events',
    log_offset    UInt64 COMMENT 'offset there of the newest record that says so' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
ORDER BY (root, customer_id)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 1024
COMMENT 'Who was ever told to belong to whom; the log tells who belongs there as of when.';
