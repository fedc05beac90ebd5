-- oldest code: 0.1.0
-- The calls of a period that may have been charged: lines that are released with a note, which are few among the others.

-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS credit_entry_maybe_charged;
-- outside a transaction
CREATE INDEX CONCURRENTLY credit_entry_maybe_charged ON credit_entry (organization_id, created_at)
  WHERE kind = 'release' AND note IS NOT NULL;
