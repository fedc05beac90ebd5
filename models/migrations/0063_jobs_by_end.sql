-- oldest code: 0.1.0
-- Jobs of some statuses, entity types and triggers are found in the order in which they ended. A job that has not ended
-- is not there, so that its creation costs nothing more.

-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS job_ended_of_kind;
-- outside a transaction
CREATE INDEX CONCURRENTLY job_ended_of_kind
  ON job (organization_id, status, entity_type, trigger_kind, finished_at, id) WHERE finished_at IS NOT NULL;
