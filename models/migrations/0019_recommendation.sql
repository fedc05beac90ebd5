-- oldest code: 0.1.0
-- What is recommended is stored with a conflict: also that neither value is likelier. NULL, as all rows of before have it
-- and as older code writes it: to accept where a candidate is recommended, else to keep the current value.
-- A decision can be taken back: `resolution_id` names the operation on many conflicts that a decision was part of, and
-- `taken_back` lists the decisions that were taken back. A value and a rejection name the conflict that they come from.
-- `accepted_from`: the provider, with what it stated, whose value a reviewer accepted. NULL: not known, or none.

ALTER TABLE conflict ADD COLUMN recommendation VARCHAR(16);
ALTER TABLE conflict ADD COLUMN resolution_id VARCHAR(36);
ALTER TABLE conflict ADD COLUMN taken_back {json};
ALTER TABLE field_value ADD COLUMN conflict_id VARCHAR(36);
ALTER TABLE field_value ADD COLUMN accepted_from {json};
ALTER TABLE rejection ADD COLUMN conflict_id VARCHAR(36);
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS conflict_of_resolution;
-- outside a transaction
CREATE INDEX CONCURRENTLY conflict_of_resolution ON conflict (resolution_id) WHERE resolution_id IS NOT NULL;
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS rejection_of_conflict;
-- outside a transaction
CREATE INDEX CONCURRENTLY rejection_of_conflict ON rejection (conflict_id) WHERE conflict_id IS NOT NULL;
