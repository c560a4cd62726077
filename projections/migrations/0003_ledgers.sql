-- What was predicted, decided, raised and delivered.
CREATE TABLE IF NOT EXISTS scores
(
    customer_id            String COMMENT 'whose',
    model                  LowCardinality(String) COMMENT 'which model: churn',
    at                     DateTime64(3, 'UTC') COMMENT 'when predicted, in the customer''s time, UTC' CODEC(Delta, ZSTD(1)),
    score_id               String COMMENT 'follows from its cause',
    model_version          UInt64 COMMENT 'examples learnt by the model',
    cause                  String COMMENT 'id of the event that led to it',
    probability            Float64 COMMENT 'predicted, 0 to 1',
    band                   LowCardinality(String) COMMENT 'low, medium or high',
    horizon_days           UInt16 COMMENT 'how far ahead it looks',
    `reasons.feature`      Array(LowCardinality(String)) COMMENT 'what moved the score, strongest first' CODEC(ZSTD(3)),
    `reasons.contribution` Array(Float64) COMMENT 'by how much, in logits; positive raises the risk' CODEC(ZSTD(3)),
    `reasons.value`        Array(Float64) COMMENT 'the feature''s value' CODEC(ZSTD(3)),
    features               Map(LowCardinality(String), Float64) COMMENT 'all that the model saw' CODEC(ZSTD(3)),
    log_partition          UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset             UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(at)
ORDER BY (customer_id, model, at, score_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every prediction, with what it was made from.';

CREATE TABLE IF NOT EXISTS decisions
(
    customer_id   String COMMENT 'whose',
    at            DateTime64(3, 'UTC') COMMENT 'when decided, UTC' CODEC(Delta, ZSTD(1)),
    decision_id   String COMMENT 'follows from its cause',
    expires       DateTime64(3, 'UTC') COMMENT 'until when it holds, UTC' CODEC(Delta, ZSTD(1)),
    cause         String COMMENT 'id of the event that led to it',
    offer         LowCardinality(String) COMMENT 'offer in the catalogue, or none',
    channel       LowCardinality(String) COMMENT 'channel to make it in',
    propensity    Float64 COMMENT 'probability with which it was drawn',
    propensities  Map(LowCardinality(String), Float64) COMMENT 'of every eligible offer; they sum to 1' CODEC(ZSTD(3)),
    model_version UInt64 COMMENT 'outcomes learnt by the policy''s model',
    policy        LowCardinality(String) COMMENT 'which policy drew it',
    holdout       UInt8 COMMENT '1: a control customer, always none',
    features      Map(LowCardinality(String), Float64) COMMENT 'all that the policy saw' CODEC(ZSTD(3)),
    log_partition UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset    UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(at)
ORDER BY (customer_id, at, decision_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every decision which offer to make, with its propensities.';

CREATE TABLE IF NOT EXISTS alerts
(
    customer_id            String COMMENT 'whose',
    at                     DateTime64(3, 'UTC') COMMENT 'when the condition changed, in the customer''s time, UTC' CODEC(Delta, ZSTD(1)),
    alert_id               String COMMENT 'one an edge',
    episode_id             String COMMENT 'one an episode',
    rule                   LowCardinality(String) COMMENT 'which rule: churn_risk',
    status                 LowCardinality(String) COMMENT 'opened or closed',
    severity               LowCardinality(String) COMMENT 'info, warning or critical',
    received_at            DateTime64(3, 'UTC') COMMENT 'when that became known, UTC' CODEC(Delta, ZSTD(1)),
    cause                  String COMMENT 'id of the event that led to it',
    probability            Nullable(Float64) COMMENT 'the score at that time',
    outcome                LowCardinality(String) COMMENT 'how it closed: saved, lost, merged',
    offer                  LowCardinality(String) COMMENT 'offer to make',
    `reasons.feature`      Array(LowCardinality(String)) COMMENT 'what moved the score, strongest first' CODEC(ZSTD(3)),
    `reasons.contribution` Array(Float64) COMMENT 'by how much, in logits' CODEC(ZSTD(3)),
    identifiers            Array(String) COMMENT 'PII: type:value of each identifier' CODEC(ZSTD(3)),
    log_partition          UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset             UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(at)
ORDER BY (customer_id, at, alert_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'The edges of every risk episode.';

CREATE TABLE IF NOT EXISTS deliveries
(
    customer_id   String COMMENT 'whose',
    at            DateTime64(3, 'UTC') COMMENT 'when tried, UTC' CODEC(Delta, ZSTD(1)),
    delivery_id   String COMMENT 'alert, destination and attempt',
    alert_id      String COMMENT 'the alert',
    destination   LowCardinality(String) COMMENT 'where it went',
    status        LowCardinality(String) COMMENT 'delivered, retrying, failed or expired',
    attempt       UInt32 COMMENT 'number of the attempt, from 1',
    http_status   Nullable(UInt16) COMMENT 'answer of the receiver; NULL: none',
    error         String COMMENT 'why it failed',
    log_partition UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset    UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(at)
ORDER BY (customer_id, alert_id, delivery_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every attempt to tell somebody of an alert.';
