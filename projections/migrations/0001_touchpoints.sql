-- What customers did, what they bought, and who turned out to be whom.
CREATE TABLE IF NOT EXISTS touchpoints
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
    log_offset         UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (customer_id, occurred_at, event_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every touchpoint once, as it came. Analysts read the view events.';

CREATE TABLE IF NOT EXISTS order_lines
(
    customer_id   String COMMENT 'whose it is, as derived when it came; the views follow merges',
    occurred_at   DateTime64(3, 'UTC') COMMENT 'when it happened, UTC' CODEC(Delta, ZSTD(1)),
    event_id      String COMMENT 'the order_placed event',
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
    log_offset    UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (customer_id, occurred_at, event_id, line)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'The products of each order.';

CREATE TABLE IF NOT EXISTS merges
(
    loser         String COMMENT 'customer id that ceased',
    winner        String COMMENT 'customer id that goes on',
    link_id       String COMMENT 'the link that showed it',
    occurred_at   DateTime64(3, 'UTC') COMMENT 'when it was linked, UTC' CODEC(Delta, ZSTD(1)),
    log_partition UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset    UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
ORDER BY loser
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 1024
COMMENT 'Which customer turned out to be which; chains are followed by the view identity.';
