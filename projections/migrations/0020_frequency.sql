-- Who has as many orders as a border is below it: where most have bought once, two borders of four
-- are 1, and who had just bought for the first time was in the middle fifth or above, never new.
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
        1 / (1 + fit.a / (fit.b + x) * exp(least(fit.temper * shape * log(until / (fit.alpha + t_x)), 700))) AS alive,
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
    if(empty(frequency_cuts), NULL, 1 + arrayCount(border -> all_orders > border, frequency_cuts)) AS frequency,
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
