-- What a sender sends again is one row, whatever its time says: the key is what names an event, and no
-- part of it follows from receipt. So no partition may either; the first that came stands, as in the profile.
DROP TABLE IF EXISTS touchpoints_once SYNC;

CREATE TABLE touchpoints_once
(
    customer_id        String COMMENT 'whose it is, as derived when it came; the views follow merges',
    occurred_at        DateTime64(3, 'UTC') COMMENT 'when it happened, UTC' CODEC(Delta, ZSTD(1)),
    event_id           String COMMENT 'the event''s id, given by its sender',
    type               LowCardinality(String) COMMENT 'kind of event: order_placed, page_viewed, …',
    channel            LowCardinality(String) COMMENT 'where the contact took place: web, app, phone, branch, …',
    received_at        DateTime64(3, 'UTC') COMMENT 'when it reached the log, UTC' CODEC(Delta, ZSTD(1)),
    utc_offset_minutes Nullable(Int16) COMMENT 'the event''s own zone; NULL when unknown',
    source             LowCardinality(String) COMMENT 'name of the write key or file it came by',
    campaign           LowCardinality(String) COMMENT 'campaign that it belongs to or came from',
    campaign_source    LowCardinality(String) COMMENT 'utm_source',
    campaign_medium    LowCardinality(String) COMMENT 'utm_medium',
    app_version        LowCardinality(String) COMMENT 'version of the app',
    device             LowCardinality(String) COMMENT 'device model',
    os                 LowCardinality(String) COMMENT 'operating system',
    locale             LowCardinality(String) COMMENT 'language and region: ko-KR',
    place              LowCardinality(String) COMMENT 'branch, shop or city',
    session_id         String COMMENT 'the sender''s session',
    name               LowCardinality(String) COMMENT 'name of a screen, custom event, group, app action, or tier',
    kind               LowCardinality(String) COMMENT 'which sort within the type: visit, ticket, feedback, content, plan, or consent purpose',
    outcome            LowCardinality(String) COMMENT 'how it ended: call or visit outcome, ticket status, stage, or consent granted',
    topic              LowCardinality(String) COMMENT 'what a call or ticket was about',
    path               String COMMENT 'page that was viewed',
    item               String COMMENT 'product or content that was viewed',
    category           LowCardinality(String) COMMENT 'category of the page, product or content',
    order_id           String COMMENT 'the order it belongs to',
    amount             Nullable(Decimal(38, 4)) COMMENT 'money: order total, refund, offer or opportunity value, price of a period',
    currency           LowCardinality(String) COMMENT 'ISO 4217 code of the money',
    margin             Nullable(Decimal(38, 4)) COMMENT 'what an order leaves; NULL when costs are unknown',
    units              UInt32 COMMENT 'units in the order''s or return''s lines',
    ticket_id          String COMMENT 'the ticket it belongs to',
    score              Nullable(Float64) COMMENT 'rating of the feedback: nps 0-10, csat 1-5, ces 1-7, review 1-5',
    offer              LowCardinality(String) COMMENT 'offer in the catalogue',
    decision_id        String COMMENT 'the decision that it follows',
    duration_seconds   Nullable(Float64) COMMENT 'how long it took, s',
    wait_seconds       Nullable(Float64) COMMENT 'how long the customer waited, s',
    props              Map(LowCardinality(String), String) COMMENT 'fields without a column, as text or JSON' CODEC(ZSTD(3)),
    identifiers        Array(String) COMMENT 'PII: type:value of each identifier' CODEC(ZSTD(3)),
    personal           Map(LowCardinality(String), String) COMMENT 'PII: traits, free text, addresses, staff; as text or JSON' CODEC(ZSTD(3)),
    log_partition      UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset         UInt64 COMMENT 'offset there; the lowest wins when parts merge' CODEC(Delta, ZSTD(1)),
    precedence         UInt64 MATERIALIZED 18446744073709551615 - log_offset COMMENT 'of two rows with one key the one that came first stands'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (customer_id, event_id, source)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every touchpoint once, as it came. Analysts read the view events.';

INSERT INTO touchpoints_once (customer_id, occurred_at, event_id, type, channel, received_at, utc_offset_minutes, source, campaign, campaign_source, campaign_medium, app_version, device, os, locale, place, session_id, name, kind, outcome, topic, path, item, category, order_id, amount, currency, margin, units, ticket_id, score, offer, decision_id, duration_seconds, wait_seconds, props, identifiers, personal, log_partition, log_offset)
SELECT customer_id, occurred_at, event_id, type, channel, received_at, utc_offset_minutes, source, campaign, campaign_source, campaign_medium, app_version, device, os, locale, place, session_id, name, kind, outcome, topic, path, item, category, order_id, amount, currency, margin, units, ticket_id, score, offer, decision_id, duration_seconds, wait_seconds, props, identifiers, personal, log_partition, log_offset
FROM touchpoints;

DROP TABLE IF EXISTS order_lines_once SYNC;

CREATE TABLE order_lines_once
(
    customer_id   String COMMENT 'whose it is, as derived when it came; the views follow merges',
    occurred_at   DateTime64(3, 'UTC') COMMENT 'when it happened, UTC' CODEC(Delta, ZSTD(1)),
    event_id      String COMMENT 'the order_placed event',
    source        LowCardinality(String) COMMENT 'name of the write key or file it came by',
    line          UInt16 COMMENT 'number of the line, from 1',
    order_id      String COMMENT 'the order it belongs to',
    channel       LowCardinality(String) COMMENT 'where the contact took place: web, app, phone, branch, …',
    sku           String COMMENT 'product id',
    name          String COMMENT 'product name',
    category      LowCardinality(String) COMMENT 'product category',
    brand         LowCardinality(String) COMMENT 'product brand',
    variant       LowCardinality(String) COMMENT 'product variant',
    quantity      UInt32 COMMENT 'units',
    price         Decimal(38, 4) COMMENT 'price of one unit',
    cost          Nullable(Decimal(38, 4)) COMMENT 'cost of one unit; NULL when unknown',
    discount      Nullable(Decimal(38, 4)) COMMENT 'discount on the whole line',
    currency      LowCardinality(String) COMMENT 'ISO 4217 code of the money',
    log_partition UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset    UInt64 COMMENT 'offset there; the lowest wins when parts merge' CODEC(Delta, ZSTD(1)),
    precedence    UInt64 MATERIALIZED 18446744073709551615 - log_offset COMMENT 'of two rows with one key the one that came first stands'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (customer_id, event_id, source, line)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'The products of each order.';

INSERT INTO order_lines_once (customer_id, occurred_at, event_id, source, line, order_id, channel, sku, name, category, brand, variant, quantity, price, cost, discount, currency, log_partition, log_offset)
SELECT customer_id, occurred_at, event_id, coming.source, line, order_id, channel, sku, name, category, brand, variant, quantity, price, cost, discount, currency, log_partition, log_offset
FROM order_lines
ANY LEFT JOIN
(
    SELECT log_partition, log_offset, source
    FROM touchpoints
    WHERE type = 'order_placed'
) AS coming USING (log_partition, log_offset);

EXCHANGE TABLES touchpoints_once AND touchpoints;

EXCHANGE TABLES order_lines_once AND order_lines;

DROP TABLE touchpoints_once SYNC;

DROP TABLE order_lines_once SYNC;

CREATE OR REPLACE VIEW order_items
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'The products of each order, under the customer it belongs to today.'
AS SELECT
    if(identity.customer_id = '', own.customer_id, identity.customer_id) AS customer_id,
    own.* EXCEPT (customer_id, log_partition, log_offset)
FROM order_lines AS own FINAL
LEFT JOIN identity ON identity.merged_id = own.customer_id;
