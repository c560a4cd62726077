-- What churn means in each score, how its reasons add up; and who keeps a contract.
ALTER TABLE scores
    ADD COLUMN IF NOT EXISTS horizon LowCardinality(String) COMMENT 'what churn means, with its version: silence-30/1, contract-30/1' AFTER horizon_days,
    ADD COLUMN IF NOT EXISTS base Float64 COMMENT 'the population''s own share of the logit' AFTER horizon,
    ADD COLUMN IF NOT EXISTS `reasons.usual` Array(Nullable(Float64)) COMMENT 'the customer''s own habit, or the population''s mean' CODEC(ZSTD(3)) AFTER `reasons.value`,
    ADD COLUMN IF NOT EXISTS `reasons.about` Array(LowCardinality(String)) COMMENT 'the one feature that value and usual are of' CODEC(ZSTD(3)) AFTER `reasons.usual`,
    COMMENT COLUMN model 'which model: churn, or contract for who has one';

ALTER TABLE alerts
    ADD COLUMN IF NOT EXISTS `reasons.value` Array(Float64) COMMENT 'the value of the feature that it is about' CODEC(ZSTD(3)) AFTER `reasons.contribution`,
    ADD COLUMN IF NOT EXISTS `reasons.usual` Array(Nullable(Float64)) COMMENT 'the customer''s own habit, or the population''s mean' CODEC(ZSTD(3)) AFTER `reasons.value`,
    ADD COLUMN IF NOT EXISTS `reasons.about` Array(LowCardinality(String)) COMMENT 'the one feature that value and usual are of' CODEC(ZSTD(3)) AFTER `reasons.usual`;

CREATE OR REPLACE VIEW score_history
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Every prediction, under the customer it belongs to today.'
AS SELECT
    if(identity.customer_id = '', own.customer_id, identity.customer_id) AS customer_id,
    own.* EXCEPT (customer_id, log_partition, log_offset)
FROM scores AS own FINAL
LEFT JOIN identity ON identity.merged_id = own.customer_id;

CREATE OR REPLACE VIEW alert_history
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'The edges of every risk episode, without PII.'
AS SELECT
    if(identity.customer_id = '', own.customer_id, identity.customer_id) AS customer_id,
    own.* EXCEPT (customer_id, identifiers, log_partition, log_offset)
FROM alerts AS own FINAL
LEFT JOIN identity ON identity.merged_id = own.customer_id;

CREATE OR REPLACE VIEW contracts
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Each contract once: when it began, how often it was renewed, when and how it ended.'
AS WITH told AS
(
    SELECT
        customer_id,
        props['subscription_id'] AS subscription_id,
        min(occurred_at) AS began,
        countIf(type = 'subscription_renewed') AS renewals,
        argMax(type, (occurred_at, event_id)) AS last_type,
        max(occurred_at) AS last_at,
        argMax(kind, (occurred_at, event_id)) AS plan,
        argMax(tuple(parseDateTime64BestEffortOrNull(props['renews_at'], 3, 'UTC')), (occurred_at, event_id)).1 AS stated,
        argMax(
            multiIf(type != 'subscription_renewed', 0, props['period'] = 'day', 1, props['period'] = 'week', 7,
                props['period'] = 'month', 30, props['period'] = 'quarter', 91, props['period'] = 'year', 365, 0),
            (occurred_at, event_id)) AS days
    FROM events
    WHERE type IN ('subscription_started', 'subscription_renewed', 'subscription_cancelled')
    GROUP BY customer_id, subscription_id
)
SELECT
    customer_id,
    subscription_id,
    plan,
    began,
    renewals,
    if(last_type = 'subscription_cancelled', NULL, coalesce(stated, if(days = 0, NULL, last_at + toIntervalDay(days)))) AS renews_at,
    multiIf(
        last_type = 'subscription_cancelled', 'cancelled',
        renews_at + toIntervalDay(7) <= now64(3, 'UTC'), 'lapsed',
        'running') AS state,
    multiIf(state = 'cancelled', last_at, state = 'lapsed', renews_at, NULL) AS ended
FROM told;

CREATE OR REPLACE VIEW renewal_by_cohort
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Of the contracts that began in a month, how many still ran so many months later.'
AS SELECT
    toStartOfMonth(began) AS cohort,
    arrayJoin(range(0, toUInt32(dateDiff('month', began, now64(3, 'UTC')) + 1))) AS months_later,
    count() AS size,
    countIf(ended IS NULL OR dateDiff('month', cohort, ended) > months_later) AS running,
    countIf(renewals > 0) AS renewed,
    running / size AS rate
FROM contracts
GROUP BY cohort, months_later
ORDER BY cohort, months_later;
