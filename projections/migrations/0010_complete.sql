-- Whether a customer is whole, or being put together anew after an unmerge.
ALTER TABLE profiles ADD COLUMN IF NOT EXISTS
    complete UInt8 DEFAULT 1 COMMENT '0: after an unmerge, its own events are still being read again' AFTER merged_into;

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
