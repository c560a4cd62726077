-- Alerts about models, of drift, are no customer's: they stay out of the view of customers' alerts.
CREATE OR REPLACE VIEW alert_history
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'The edges of every risk episode, without PII; alerts about models are left out.'
AS SELECT
    if(identity.customer_id = '', own.customer_id, identity.customer_id) AS customer_id,
    own.* EXCEPT (customer_id, identifiers, log_partition, log_offset)
FROM alerts AS own FINAL
LEFT JOIN identity ON identity.merged_id = own.customer_id
WHERE NOT startsWith(own.customer_id, 'model:');
