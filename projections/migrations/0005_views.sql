-- What people read. An analyst reads only the views of 0006: those show nobody's name.

-- Chains of merges (a -> b -> c), followed to their end.
CREATE OR REPLACE VIEW identity
COMMENT 'For each merged customer id, the one that goes on.'
AS WITH RECURSIVE chain AS
(
    SELECT loser, winner, 1 AS depth
    FROM merges FINAL
    UNION ALL
    SELECT chain.loser, next.winner, chain.depth + 1
    FROM chain
    INNER JOIN (SELECT loser, winner FROM merges FINAL) AS next ON next.loser = chain.winner
    WHERE chain.depth < 100
)
SELECT loser AS merged_id, argMax(winner, depth) AS customer_id
FROM chain
GROUP BY loser;

CREATE OR REPLACE VIEW profiles_current
COMMENT 'Each living customer once, PII included.'
AS SELECT * EXCEPT (is_deleted, merged_into, log_partition, log_offset)
FROM profiles FINAL
WHERE merged_into = '';

CREATE OR REPLACE VIEW touchpoints_merged
COMMENT 'Every touchpoint once, under the customer it belongs to today, PII included.'
AS SELECT
    if(identity.customer_id = '', own.customer_id, identity.customer_id) AS customer_id,
    own.* EXCEPT (customer_id)
FROM touchpoints AS own FINAL
LEFT JOIN identity ON identity.merged_id = own.customer_id;
