-- oldest code: 0.1.0
-- Answers that were sent for questions whose worker is gone, until upkeep has read them.

-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS answer_delivered_unread;
-- outside a transaction
CREATE INDEX CONCURRENTLY answer_delivered_unread ON answer (asked_by) WHERE delivered IS NOT NULL AND state <> 'pending';
