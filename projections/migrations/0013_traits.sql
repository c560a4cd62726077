-- What recurs and what fades of each customer, what fits found of all of them, and value as of now.
ALTER TABLE profiles
    ADD COLUMN IF NOT EXISTS observed_until Nullable(DateTime64(3, 'UTC')) COMMENT 'end of a backfill: silence after it means nothing' AFTER complete,
    ADD COLUMN IF NOT EXISTS order_days Array(UInt32) COMMENT 'days since 1970 (UTC) with an order, newest 100' CODEC(ZSTD(3)) AFTER last_order,
    ADD COLUMN IF NOT EXISTS orders_by_currency Map(LowCardinality(String), UInt64) COMMENT 'orders placed, by currency' CODEC(ZSTD(3)) AFTER order_days,
    ADD COLUMN IF NOT EXISTS interests_now Map(LowCardinality(String), Float64) COMMENT 'strongest interests as of clock; each is worth half after 30 days' CODEC(ZSTD(3)) AFTER interests,
    ADD COLUMN IF NOT EXISTS sentiment Nullable(Float64) COMMENT 'newest opinion, -1 to 1' AFTER feedback,
    ADD COLUMN IF NOT EXISTS sentiment_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when it was said, UTC' AFTER sentiment,
    ADD COLUMN IF NOT EXISTS sentiment_mean Nullable(Float64) COMMENT 'mean opinion as of clock, old words fading' AFTER sentiment_at,
    ADD COLUMN IF NOT EXISTS sentiment_texts UInt32 COMMENT 'texts of the newest weeks that it is the mean of' AFTER sentiment_mean;

CREATE TABLE IF NOT EXISTS populations
(
    command_id     String COMMENT 'which fit',
    at             DateTime64(3, 'UTC') COMMENT 'as of when it was fitted, UTC' CODEC(Delta, ZSTD(1)),
    customers      UInt64 COMMENT 'that it was fitted to',
    r              Float64 COMMENT 'MBG/NBD of days with an order: shape of the rates',
    alpha          Float64 COMMENT 'scale of the rates, days',
    a              Float64 COMMENT 'of the chance to leave after an order',
    b              Float64 COMMENT 'of the chance to stay after an order',
    spend_p        Map(LowCardinality(String), Float64) COMMENT 'gamma-gamma of what an order is worth, by currency: p',
    spend_q        Map(LowCardinality(String), Float64) COMMENT 'q',
    spend_v        Map(LowCardinality(String), Float64) COMMENT 'v, in minor units',
    recency_cuts   Array(Float64) COMMENT 'borders of the fifths: days since the last order',
    frequency_cuts Array(Float64) COMMENT 'orders',
    money_cuts     Map(LowCardinality(String), Array(Float64)) COMMENT 'net of refunds, minor units, by currency',
    log_partition  UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset     UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
ORDER BY (at, command_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What each fit found of all customers together.';

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

CREATE OR REPLACE VIEW population
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'The newest parameters of all customers; those that the software comes with until there was a fit.'
AS SELECT * EXCEPT (command_id, log_partition, log_offset)
FROM
(
    SELECT * FROM populations FINAL
    UNION ALL
    SELECT '', toDateTime64(0, 3, 'UTC'), 0, 0.634, 51.2, 0.806, 1.238,
        map(), map(), map(), [], [], map(), 0, 0
)
ORDER BY at DESC
LIMIT 1;

CREATE OR REPLACE VIEW customer_value
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Each buyer and currency as of now: RFM, who still buys, when next, and the value expected within a year.'
AS WITH
buyers AS
(
    SELECT
        customer_id,
        arrayJoin(mapKeys(orders_by_currency)) AS currency,
        orders AS all_orders,
        orders_by_currency[currency] AS orders_in,
        revenue[currency] - refunded[currency] AS net,
        order_days,
        if(currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'), 1,
            if(currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'), 1000, if(currency IN ('CLF', 'UYW'), 10000, 100))) AS minor,
        churn_probability,
        if(observed_until IS NOT NULL AND clock <= observed_until,
            least(now64(3, 'UTC'), observed_until), now64(3, 'UTC')) AS as_of,
        intDiv(toUnixTimestamp64Milli(assumeNotNull(as_of)), 86400000) AS today,
        toFloat64(length(order_days) - 1) AS x,
        toFloat64(order_days[-1] - order_days[1]) AS t_x,
        greatest(t_x, toFloat64(today) - order_days[1]) AS age
    FROM customers
    WHERE notEmpty(order_days)
),
told AS
(
    SELECT
        buyers.*,
        fit.at AS fitted_at,
        fit.alpha + age AS until,
        fit.r + x AS shape,
        -- At a = 1 the formula divides nothing by nothing.
        if(abs(fit.a - 1) < 1e-6, 1 + 1e-6, fit.a) AS a,
        1 / (1 + fit.a / (fit.b + x) * exp(least(shape * log(until / (fit.alpha + t_x)), 700))) AS alive,
        alive * (1 - pow(until / (until + 30), shape)) AS purchase_30_days,
        (fit.alpha + t_x) / (fit.r + x) AS gap_days,
        if(length(order_days) < 100, all_orders / length(order_days), 1) AS orders_a_day,
        a + fit.b + x AS total,
        -- Expected days with an order by each quarter's end: MBG/NBD, its 2F1 by the series.
        arrayMap(
            quarter -> total / (a - 1) * alive * orders_a_day * (1 - pow(until / (until + quarter), a - 1)
                * arrayFold(
                    (sum, n) -> (
                        sum.1 + sum.2 * (a + fit.b - fit.r + n) * (a - 1 + n) / ((total + n) * (n + 1)) * quarter / (until + quarter),
                        sum.2 * (a + fit.b - fit.r + n) * (a - 1 + n) / ((total + n) * (n + 1)) * quarter / (until + quarter)
                    ),
                    arrayMap(n -> toFloat64(n), range(100)),
                    (toFloat64(1), toFloat64(1))
                ).1),
            [91.25, 182.5, 273.75, 365.]
        ) AS made,
        greatest(0, toFloat64(net)) / orders_in AS mean_order,
        -- The mean order shrunk to the population's (gamma-gamma); v is in minor units.
        if(mapContains(fit.spend_p, currency),
            (fit.spend_v[currency] / minor + orders_in * mean_order)
                * fit.spend_p[currency] / (fit.spend_p[currency] * orders_in + fit.spend_q[currency] - 1),
            mean_order) AS usual_order,
        today - order_days[-1] AS days_since,
        fit.recency_cuts AS recency_cuts,
        fit.frequency_cuts AS frequency_cuts
    FROM buyers
    CROSS JOIN population AS fit
)
SELECT
    customer_id,
    currency,
    as_of,
    fitted_at,
    toUInt32(greatest(0, days_since)) AS recency_days,
    orders_in AS orders,
    net AS revenue,
    if(empty(recency_cuts), NULL, 1 + arrayCount(border -> days_since <= border, recency_cuts)) AS recency,
    if(empty(frequency_cuts), NULL, 1 + arrayCount(border -> all_orders >= border, frequency_cuts)) AS frequency,
    ntile(5) OVER (PARTITION BY currency ORDER BY net, customer_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS money,
    multiIf(
        recency IS NULL OR frequency IS NULL, '',
        recency >= 4 AND frequency >= 4, 'champion',
        recency >= 4 AND frequency >= 2, 'growing',
        recency >= 4, 'new',
        recency = 3 AND frequency >= 3, 'loyal',
        recency = 3, 'wavering',
        frequency >= 3, 'at_risk',
        'dormant'
    ) AS segment,
    alive,
    purchase_30_days,
    gap_days,
    toDate(order_days[-1]) + toIntervalDay(round(gap_days)) AS next_purchase,
    made[4] AS expected_orders,
    orders_in / all_orders * usual_order * (
        made[1] / pow(1.1, 0.125) + (made[2] - made[1]) / pow(1.1, 0.375)
        + (made[3] - made[2]) / pow(1.1, 0.625) + (made[4] - made[3]) / pow(1.1, 0.875)
    ) AS clv,
    ntile(5) OVER (PARTITION BY currency ORDER BY clv, customer_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS clv_band,
    churn_probability
FROM told;

CREATE OR REPLACE VIEW rfm_segments
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'How many buyers each RFM segment has, what they paid and what they are expected to.'
AS SELECT
    currency,
    segment,
    count() AS customers,
    sum(customer_value.revenue) AS revenue,
    sum(customer_value.clv) AS clv,
    avg(customer_value.alive) AS alive
FROM customer_value
GROUP BY currency, segment
ORDER BY currency, clv DESC;

CREATE OR REPLACE VIEW value_migration
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'From month to month, how many customers went from which band of value (fifth of 12 months'' net revenue, 5 is best, 0 bought nothing) to which.'
AS WITH
paid AS
(
    SELECT
        customer_id,
        currency,
        arrayJoin(arrayMap(later -> addMonths(toStartOfMonth(toDate(occurred_at)), later), range(12))) AS month,
        sum(if(type = 'order_placed', assumeNotNull(amount), -assumeNotNull(amount))) AS net
    FROM events
    WHERE type IN ('order_placed', 'order_refunded') AND amount IS NOT NULL
    GROUP BY customer_id, currency, month
    HAVING month <= toStartOfMonth(today())
),
bands AS
(
    SELECT
        customer_id,
        currency,
        month,
        net,
        toUInt8(ntile(5) OVER (PARTITION BY currency, month ORDER BY net, customer_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) AS band
    FROM paid
),
moves AS
(
    SELECT customer_id, currency, month, 0 AS before, band AS after, net AS gained FROM bands
    UNION ALL
    SELECT customer_id, currency, addMonths(month, 1) AS month, band AS before, 0 AS after, -net AS gained FROM bands
    WHERE month < toStartOfMonth(today())
)
SELECT
    month,
    currency,
    from_band,
    to_band,
    count() AS customers,
    sum(change) AS revenue_change
FROM
(
    SELECT month, currency, customer_id, sum(before) AS from_band, sum(after) AS to_band, sum(gained) AS change
    FROM moves
    GROUP BY month, currency, customer_id
)
GROUP BY month, currency, from_band, to_band
ORDER BY month, currency, from_band, to_band;
