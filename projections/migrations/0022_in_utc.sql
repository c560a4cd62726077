-- Which month runs is told by UTC, as months are: `today()` is of the zone that the server stands in.
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
    HAVING month <= toStartOfMonth(toDate(now(), 'UTC'))
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
    SELECT customer_id, currency, addMonths(bands.month, 1) AS month, band AS before, 0 AS after, -net AS gained FROM bands
    WHERE bands.month < toStartOfMonth(toDate(now(), 'UTC'))
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
