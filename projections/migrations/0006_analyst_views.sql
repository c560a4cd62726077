-- What analysts read: with the rights of ${definer}, so that the tables stay closed to them.

CREATE OR REPLACE VIEW events
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Every touchpoint once, under the customer it belongs to today, without PII.'
AS SELECT * EXCEPT (identifiers, personal, log_partition, log_offset)
FROM touchpoints_merged;

CREATE OR REPLACE VIEW customers
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Each living customer once, without PII.'
AS SELECT * EXCEPT (identifiers, traits)
FROM profiles_current;

CREATE OR REPLACE VIEW order_items
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'The products of each order, under the customer it belongs to today.'
AS SELECT
    if(identity.customer_id = '', own.customer_id, identity.customer_id) AS customer_id,
    own.* EXCEPT (customer_id, log_partition, log_offset)
FROM order_lines AS own FINAL
LEFT JOIN identity ON identity.merged_id = own.customer_id;

CREATE OR REPLACE VIEW score_history
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Every prediction, under the customer it belongs to today.'
AS SELECT
    if(identity.customer_id = '', own.customer_id, identity.customer_id) AS customer_id,
    own.* EXCEPT (customer_id, log_partition, log_offset)
FROM scores AS own FINAL
LEFT JOIN identity ON identity.merged_id = own.customer_id;

CREATE OR REPLACE VIEW decision_history
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Every decision, under the customer it belongs to today.'
AS SELECT
    if(identity.customer_id = '', own.customer_id, identity.customer_id) AS customer_id,
    own.* EXCEPT (customer_id, log_partition, log_offset)
FROM decisions AS own FINAL
LEFT JOIN identity ON identity.merged_id = own.customer_id;

CREATE OR REPLACE VIEW alert_history
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'The edges of every risk episode, without PII.'
AS SELECT
    if(identity.customer_id = '', own.customer_id, identity.customer_id) AS customer_id,
    own.* EXCEPT (customer_id, identifiers, log_partition, log_offset)
FROM alerts AS own FINAL
LEFT JOIN identity ON identity.merged_id = own.customer_id;

CREATE OR REPLACE VIEW revenue_by_day
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Orders, gross and net revenue and margin by day (UTC) and currency.'
AS SELECT
    toDate(occurred_at) AS day,
    currency,
    countIf(type = 'order_placed') AS orders,
    uniqExactIf(customer_id, type = 'order_placed') AS buyers,
    sumIf(units, type = 'order_placed') AS units,
    coalesce(sumIf(amount, type = 'order_placed'), 0) AS revenue,
    coalesce(sumIf(amount, type = 'order_refunded'), 0) AS refunded,
    revenue - refunded AS net,
    coalesce(sumIf(margin, type = 'order_placed'), 0) AS margin_known
FROM events
WHERE type IN ('order_placed', 'order_refunded')
GROUP BY day, currency
ORDER BY day, currency;

CREATE OR REPLACE VIEW retention_by_cohort
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Of the customers whose first contact was in a month, how many made contact so many months later.'
AS WITH active AS
(
    SELECT customer_id, toStartOfMonth(occurred_at) AS month
    FROM events
    WHERE type IN (
        'app_used', 'call_received', 'consent_changed', 'content_viewed',
        'coupon_redeemed', 'custom', 'customer_identified', 'feedback_given',
        'lead_created', 'message_clicked', 'offer_accepted', 'offer_declined',
        'order_placed', 'order_returned', 'page_viewed', 'points_redeemed',
        'screen_viewed', 'search_performed', 'subscription_renewed',
        'subscription_started', 'ticket_opened', 'visit_made'
    )
    GROUP BY customer_id, month
),
born AS
(
    SELECT customer_id, min(month) AS cohort
    FROM active
    GROUP BY customer_id
),
sizes AS
(
    SELECT cohort, count() AS size
    FROM born
    GROUP BY cohort
)
SELECT
    born.cohort AS cohort,
    dateDiff('month', born.cohort, active.month) AS months_later,
    any(sizes.size) AS size,
    count() AS retained,
    retained / size AS rate
FROM active
INNER JOIN born ON born.customer_id = active.customer_id
INNER JOIN sizes ON sizes.cohort = born.cohort
GROUP BY cohort, months_later
ORDER BY cohort, months_later;

CREATE OR REPLACE VIEW rfm
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Buyers by recency, frequency and money: fifths within a currency, 5 is best.'
AS WITH buyers AS
(
    SELECT
        customer_id,
        currency,
        max(occurred_at) AS last_order,
        count() AS orders,
        sum(amount) AS revenue
    FROM events
    WHERE type = 'order_placed'
    GROUP BY customer_id, currency
)
SELECT
    customer_id,
    currency,
    last_order,
    dateDiff('day', last_order, now64(3, 'UTC')) AS days_since,
    orders,
    revenue,
    ntile(5) OVER (PARTITION BY currency ORDER BY last_order, customer_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS recency,
    ntile(5) OVER (PARTITION BY currency ORDER BY orders, customer_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS frequency,
    ntile(5) OVER (PARTITION BY currency ORDER BY revenue, customer_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS money
FROM buyers;

CREATE OR REPLACE VIEW funnel
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Came, looked at something, bought: each step within 7 days of the first.'
AS WITH reached AS
(
    SELECT
        customer_id,
        windowFunnel(604800000)(
            toUInt64(toUnixTimestamp64Milli(occurred_at)),
            type IN ('page_viewed', 'screen_viewed', 'app_used', 'visit_made'),
            type IN ('content_viewed', 'search_performed'),
            type = 'order_placed'
        ) AS level
    FROM events
    GROUP BY customer_id
)
SELECT
    number AS step,
    ['came', 'looked', 'bought'][number] AS name,
    (SELECT count() FROM reached WHERE level >= 1) AS started,
    countIf(level >= number) AS customers,
    if(started = 0, 0, customers / started) AS rate
FROM reached
CROSS JOIN (SELECT arrayJoin([1, 2, 3]) AS number) AS steps
GROUP BY number
ORDER BY step;

CREATE OR REPLACE VIEW churn_board
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Customers by churn risk, highest first, with why and what to offer.'
AS SELECT
    customer_id,
    churn_probability,
    churn_band,
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

CREATE OR REPLACE VIEW offer_lift
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Of the decisions for each offer, how many were followed by an order within 14 days, against the holdout.'
AS WITH outcomes AS
(
    SELECT
        decision.decision_id AS decision_id,
        any(decision.offer) AS offer,
        any(decision.holdout) AS holdout,
        max(dateDiff('millisecond', decision.at, buyer.occurred_at) BETWEEN 1 AND 1209600000
            AND buyer.event_id != '') AS converted
    FROM decision_history AS decision
    LEFT JOIN (SELECT customer_id, occurred_at, event_id FROM events WHERE type = 'order_placed')
        AS buyer ON buyer.customer_id = decision.customer_id
    GROUP BY decision_id
)
SELECT
    if(holdout = 1, '(holdout)', offer) AS offer,
    count() AS decisions,
    sum(converted) AS conversions,
    conversions / decisions AS rate,
    (SELECT avg(converted) FROM outcomes WHERE holdout = 1) AS holdout_rate,
    rate - holdout_rate AS lift
FROM outcomes
GROUP BY offer
ORDER BY offer;
