-- Who is one customer, and how that came about: links, moves, refusals; merges alone were kept before.
CREATE TABLE IF NOT EXISTS identity_links
(
    customer_id   String COMMENT 'the weaker name of the two; of an unmerge, the member taken out',
    link_id       String COMMENT 'follows from what it says',
    kind          LowCardinality(String) COMMENT 'observed, identified, aliased; stated or unmerged by a person',
    type          LowCardinality(String) COMMENT 'kind of identifier that the name is',
    other         String COMMENT 'the stronger name; empty: an unmerge',
    other_type    LowCardinality(String) COMMENT 'kind of identifier that it is',
    event_id      String COMMENT 'the event that showed both; of a person''s word, its own id',
    at            DateTime64(3, 'UTC') COMMENT 'when it was seen last, UTC' CODEC(Delta, ZSTD(1)),
    received_at   DateTime64(3, 'UTC') COMMENT 'when that reached us, UTC' CODEC(Delta, ZSTD(1)),
    by            String COMMENT 'who said so; empty: nobody, an event did',
    reason        String COMMENT 'why, in their words',
    log_partition UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset    UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1)),
    INDEX other other TYPE bloom_filter GRANULARITY 4
)
ENGINE = ReplacingMergeTree(log_offset)
ORDER BY (customer_id, link_id)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 1024
COMMENT 'Every link between two customers, followed or not, and what people said of them.';

CREATE TABLE IF NOT EXISTS identity_moves
(
    customer_id   String COMMENT 'who went',
    link_offset   Int64 COMMENT 'offset of its cause on identity-links: the order of all moves' CODEC(Delta, ZSTD(1)),
    at            DateTime64(3, 'UTC') COMMENT 'when its cause was seen, UTC' CODEC(Delta, ZSTD(1)),
    kind          LowCardinality(String) COMMENT 'merged, or regrouped by an unmerge',
    root          String COMMENT 'to whom; itself: it stands alone, or for others',
    others        UInt32 COMMENT 'regrouped: how many other members the root has',
    generation    Int64 COMMENT 'of the root''s group; -1: it was never unmerged',
    cause         String COMMENT 'the link or the unmerge that led to it',
    by            String COMMENT 'regrouped: who said so',
    reason        String COMMENT 'regrouped: why, in their words',
    log_partition UInt16 COMMENT 'partition of the topic that the row came from',
    log_offset    UInt64 COMMENT 'offset there; the highest wins when parts merge' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(log_offset)
ORDER BY (customer_id, link_offset)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 1024
COMMENT 'Who went to whom, when and why; chains are followed by the view identity.';

INSERT INTO identity_moves (customer_id, link_offset, at, kind, root, generation, cause, log_partition, log_offset)
SELECT loser, -1, occurred_at, 'merged', winner, -1, link_id, log_partition, log_offset
FROM merges FINAL;

CREATE OR REPLACE VIEW identity_places
COMMENT 'Where each customer id that ever moved is now: a hop, not the whole way.'
AS SELECT customer_id, root, kind, link_offset
FROM (SELECT * FROM identity_moves FINAL ORDER BY customer_id, link_offset DESC LIMIT 1 BY customer_id);

-- Chains (a -> b -> c), followed to their end. Few are longer than a hop, so only those that
-- others hang on are followed.
CREATE OR REPLACE VIEW identity
COMMENT 'For each customer id that belongs to another, the one that stands for it today.'
AS WITH RECURSIVE chain AS
(
    SELECT customer_id AS id, root, 1 AS depth
    FROM identity_places
    WHERE root != customer_id AND customer_id IN (SELECT root FROM identity_moves)
    UNION ALL
    SELECT chain.id, next.root, chain.depth + 1
    FROM chain
    INNER JOIN
    (
        SELECT customer_id, root
        FROM identity_places
        WHERE root != customer_id AND customer_id IN (SELECT root FROM identity_moves)
    ) AS next ON next.customer_id = chain.root
    WHERE chain.depth < 100
)
SELECT places.customer_id AS merged_id, if(ends.id = '', places.root, ends.root) AS customer_id
FROM (SELECT customer_id, root FROM identity_places WHERE root != customer_id) AS places
LEFT JOIN (SELECT id, argMax(root, depth) AS root FROM chain GROUP BY id) AS ends ON ends.id = places.root;

DROP TABLE IF EXISTS merges SYNC;

CREATE OR REPLACE VIEW identity_overrides
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'For each customer id that belongs to another, the one that stands for it today.'
AS SELECT identity.merged_id AS customer_id, identity.customer_id AS canonical_id
FROM identity;

CREATE OR REPLACE VIEW identity_history
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'Every merge, and every place that an unmerge gave, without PII.'
AS SELECT * EXCEPT (by, reason, log_partition, log_offset)
FROM identity_moves FINAL;
