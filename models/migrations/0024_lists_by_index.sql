-- oldest code: 0.1.0
-- same result as: a2878b12cb209d02c69b6b342e677241933b4291e9afe1a2f00e845b0d02ed70
-- Lists find their page by an index, whatever they are filtered by. `job_of_kind` serves what `job_by_status` did.

-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS job_of_kind;
-- outside a transaction
CREATE INDEX CONCURRENTLY job_of_kind ON job (organization_id, status, entity_type, trigger_kind, id);
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS job_by_status;
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS record_of_type;
-- outside a transaction
CREATE INDEX CONCURRENTLY record_of_type ON record (organization_id, entity_type, id);
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS record_by_completeness;
-- outside a transaction
CREATE INDEX CONCURRENTLY record_by_completeness ON record (organization_id, entity_type, completeness);

-- Search looks for a part of a text: an index of all its three-letter parts finds it. Without the right to create the
-- extension (PostgreSQL's own `pg_trgm`, which the database's owner may create) searches read all records, as before.
-- postgresql only
DO $$ BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm
  ; EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
    RAISE NOTICE 'pg_trgm is not there: searches read all records'
  ; END $$;
-- postgresql only
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS record_search;
-- postgresql only
-- outside a transaction
CREATE INDEX CONCURRENTLY record_search ON record USING gin (search_text gin_trgm_ops);
