-- How good each model is over time, and what changed it; drift alerts stay out of customers' views.
CREATE TABLE IF NOT EXISTS model_metrics
(
    model         LowCardinality(String) COMMENT 'which model: churn, contract, offers, ...',
    candidate     LowCardinality(String) COMMENT 'whose predictions: served (what was predicted then), acted, untouched (of it), a candidate, an arm; model: none in particular',
    metric        LowCardinality(String) COMMENT 'what is measured; with _window: over the newest 1,000 examples',
    model_offset  UInt64 COMMENT 'offset in the model''s log up to which it is measured' CODEC(Delta, ZSTD(1)),
    at            DateTime64(3, 'UTC') COMMENT 'time of the newest label, UTC' CODEC(Delta, ZSTD(1)),
    version       UInt64 COMMENT 'examples learnt by then' CODEC(Delta, ZSTD(1)),
    value         Float64 COMMENT 'the figure; of a series how long it is',
    series        Array(Float64) COMMENT 'calibration_count, _predicted and _happened by bin of the prediction; lift by tenth' CODEC(ZSTD(3)),
    log_partition UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset    UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
ORDER BY (model, candidate, metric, model_offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'How good each model is, by version; one row a figure.';

CREATE TABLE IF NOT EXISTS model_changes
(
    model         LowCardinality(String) COMMENT 'which model',
    at            DateTime64(3, 'UTC') COMMENT 'time of the newest label by then, UTC' CODEC(Delta, ZSTD(1)),
    change_id     String COMMENT 'one a change',
    kind          LowCardinality(String) COMMENT 'promoted, frozen, unfrozen, reset, rolled_back, fitted, redefined, refused, drift_opened or drift_closed',
    model_offset  UInt64 COMMENT 'offset in the model''s log',
    version       UInt64 COMMENT 'examples learnt by then',
    by            String COMMENT 'rule, or who commanded it',
    reason        String COMMENT 'why',
    before        String COMMENT 'champion, version or horizon before',
    after         String COMMENT 'and after',
    figures       Map(LowCardinality(String), Float64) COMMENT 'what it was decided by' CODEC(ZSTD(3)),
    log_partition UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset    UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
ORDER BY (model, at, change_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What changed each model, by rule or by a person, and when it drifted.';

CREATE OR REPLACE VIEW model_quality
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'How good each model is by version, one row whose predictions are judged.'
AS SELECT
    model,
    candidate,
    model_offset,
    max(at) AS at,
    max(version) AS version,
    maxIf(value, metric = 'champion') AS champion,
    maxIf(value, metric = 'examples') AS examples,
    anyIf(value, metric = 'auc_window') AS auc,
    anyIf(value, metric = 'log_loss_window') AS log_loss,
    anyIf(value, metric = 'brier_window') AS brier,
    anyIf(value, metric = 'ece_window') AS ece,
    anyIf(value, metric = 'base_rate_window') AS base_rate,
    anyIf(value, metric = 'predicted_window') AS predicted,
    anyIf(value, metric = 'lift_window') AS lift,
    anyIf(value, metric = 'reward') AS reward,
    anyIf(series, metric = 'calibration_predicted') AS calibration_predicted,
    anyIf(series, metric = 'calibration_happened') AS calibration_happened,
    anyIf(series, metric = 'calibration_count') AS calibration_count,
    anyIf(series, metric = 'lift') AS lift_by_tenth
FROM model_metrics FINAL
WHERE candidate != 'model'
GROUP BY model, candidate, model_offset;

CREATE OR REPLACE VIEW model_history
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'What changed each model, by rule or by a person, and when it drifted.'
AS SELECT * EXCEPT (log_partition, log_offset)
FROM model_changes FINAL;

CREATE OR REPLACE VIEW alert_history
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'The edges of every risk episode, without PII.'
AS SELECT
    if(identity.customer_id = '', own.customer_id, identity.customer_id) AS customer_id,
    own.* EXCEPT (customer_id, identifiers, log_partition, log_offset)
FROM alerts AS own FINAL
LEFT JOIN identity ON identity.merged_id = own.customer_id
WHERE NOT startsWith(own.customer_id, 'model:');
