-- What churn means of each customer: silence, or that no contract is left.
ALTER TABLE profiles ADD COLUMN IF NOT EXISTS
    churn_horizon LowCardinality(String) COMMENT 'what churn means here, with its version: silence-30/1, contract-30/1' AFTER churn_band;

CREATE OR REPLACE VIEW profiles_current
COMMENT 'Each living customer once, PII included.'
AS SELECT * EXCEPT (is_deleted, merged_into, log_partition, log_offset)
FROM profiles FINAL
WHERE merged_into = '';

CREATE OR REPLACE VIEW customers
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Each living customer once, without PII.'
AS SELECT * EXCEPT (identifiers, traits)
FROM profiles_current;

CREATE OR REPLACE VIEW churn_board
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Customers by churn risk, highest first, with what it means, why and what to offer.'
AS SELECT
    customer_id,
    churn_probability,
    churn_band,
    churn_horizon,
    churn_reasons,
    churn_at,
    last_seen,
    dateDiff('day', last_seen, now64(3, 'UTC')) AS days_silent,
    orders,
    revenue,
    open_tickets,
    open_alerts,
    offer,
    offer_channel
FROM customers
WHERE churn_probability IS NOT NULL
ORDER BY churn_probability DESC, customer_id;
