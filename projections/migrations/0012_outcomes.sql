-- What became of each decision, and what is needed to judge another policy by it.
ALTER TABLE decisions
    ADD COLUMN IF NOT EXISTS arm LowCardinality(String) COMMENT 'offer and channel as one, or none' AFTER channel,
    ADD COLUMN IF NOT EXISTS campaign LowCardinality(String) COMMENT 'that the offer belongs to' AFTER arm,
    ADD COLUMN IF NOT EXISTS means Map(LowCardinality(String), Float64) COMMENT 'by eligible arm: mean of the logit that it converts' CODEC(ZSTD(3)) AFTER propensities,
    ADD COLUMN IF NOT EXISTS deviations Map(LowCardinality(String), Float64) COMMENT 'by eligible arm: standard deviation of that logit' CODEC(ZSTD(3)) AFTER means,
    ADD COLUMN IF NOT EXISTS margins Map(LowCardinality(String), Float64) COMMENT 'by eligible arm: margin of a conversion, in the catalogue''s money' CODEC(ZSTD(3)) AFTER deviations,
    ADD COLUMN IF NOT EXISTS held Array(LowCardinality(String)) COMMENT 'campaigns whose control the customer is' AFTER holdout;

CREATE TABLE IF NOT EXISTS outcomes
(
    customer_id   String COMMENT 'whose',
    at            DateTime64(3, 'UTC') COMMENT 'when decided, UTC' CODEC(Delta, ZSTD(1)),
    decision_id   String COMMENT 'of which decision',
    label_at      DateTime64(3, 'UTC') COMMENT 'when its window ended, UTC' CODEC(Delta, ZSTD(1)),
    arm           LowCardinality(String) COMMENT 'offer and channel as one, or none',
    offer         LowCardinality(String) COMMENT 'offer in the catalogue, or none',
    channel       LowCardinality(String) COMMENT 'channel that it was for',
    policy        LowCardinality(String) COMMENT 'which policy drew it',
    holdout       UInt8 COMMENT '1: a control customer, always none',
    propensity    Float64 COMMENT 'probability with which it was drawn',
    model_version UInt64 COMMENT 'outcomes learnt by the policy''s model',
    shown         UInt8 COMMENT '1: the customer saw it',
    claimed       UInt8 COMMENT '1: accepted, or bought with it',
    reward        Float64 COMMENT 'what the model learnt: 1 converted',
    margin        Float64 COMMENT 'earned by what follows from it, in the catalogue''s money',
    cost          Float64 COMMENT 'of making it',
    log_partition UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset    UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(at)
ORDER BY (customer_id, at, decision_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What became of every decision by the end of its window.';

CREATE OR REPLACE VIEW decision_history
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Every decision, under the customer it belongs to today.'
AS SELECT
    if(identity.customer_id = '', own.customer_id, identity.customer_id) AS customer_id,
    own.* EXCEPT (customer_id, log_partition, log_offset)
FROM decisions AS own FINAL
LEFT JOIN identity ON identity.merged_id = own.customer_id;

CREATE OR REPLACE VIEW outcome_history
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'What became of every decision, under the customer it belongs to today.'
AS SELECT
    if(identity.customer_id = '', own.customer_id, identity.customer_id) AS customer_id,
    own.* EXCEPT (customer_id, log_partition, log_offset),
    own.margin - own.cost AS earned
FROM outcomes AS own FINAL
LEFT JOIN identity ON identity.merged_id = own.customer_id;

CREATE OR REPLACE VIEW offer_results
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'What each offer was followed by, by channel, campaign and policy. Not what it caused: offer_lift tells that.'
AS SELECT
    decision.offer AS offer,
    decision.channel AS channel,
    decision.campaign AS campaign,
    decision.policy AS policy,
    count() AS made,
    countIf(outcome.decision_id != '') AS ended,
    countIf(outcome.shown) AS shown,
    countIf(outcome.claimed) AS accepted,
    countIf(outcome.reward > 0) AS converted,
    sum(outcome.margin) AS margin,
    sum(outcome.cost) AS cost,
    margin - cost AS earned,
    if(ended = 0, 0, earned / ended) AS earned_each
FROM decision_history AS decision
LEFT JOIN outcome_history AS outcome ON outcome.decision_id = decision.decision_id
GROUP BY offer, channel, campaign, policy
ORDER BY offer, channel, campaign, policy;

CREATE OR REPLACE VIEW offer_lift
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'What making offers earned a customer more than not making them: against the control customers, all offers together (campaign empty) and by campaign.'
AS WITH
campaigns AS
(
    SELECT groupUniqArray(name) AS names
    FROM (SELECT arrayJoin(arrayPushBack(held, toString(campaign))) AS name FROM decisions)
    WHERE name != ''
),
earned AS
(
    SELECT
        decision.customer_id AS customer_id,
        arrayJoin(arrayPushFront((SELECT names FROM campaigns), '')) AS campaign,
        if(campaign = '', decision.holdout = 1, has(decision.held, campaign)) AS control,
        decision.holdout AS holdout,
        outcome.earned AS earned
    FROM decision_history AS decision
    INNER JOIN outcome_history AS outcome ON outcome.decision_id = decision.decision_id
),
each AS
(
    -- Who was merged out of both groups says nothing about either.
    SELECT customer_id, campaign, any(control) AS kept, sum(earned) AS total
    FROM earned
    WHERE campaign = '' OR holdout = 0
    GROUP BY customer_id, campaign
    HAVING uniqExact(control) = 1
)
SELECT
    campaign,
    countIf(NOT kept) AS offered_customers,
    countIf(kept) AS control_customers,
    avgIf(total, NOT kept) AS offered_earned,
    avgIf(total, kept) AS control_earned,
    offered_earned - control_earned AS lift,
    1.96 * sqrt(varSampIf(total, NOT kept) / offered_customers + varSampIf(total, kept) / control_customers) AS margin_of_error,
    lift - margin_of_error AS lift_low,
    lift + margin_of_error AS lift_high
FROM each
GROUP BY campaign
ORDER BY campaign;
