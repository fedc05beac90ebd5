-- oldest code: 0.1.0
-- The lines of the audit log about one subject, and those of one user, are found by an index, the newest first.

-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS audit_of_subject;
-- outside a transaction
CREATE INDEX CONCURRENTLY audit_of_subject ON audit_entry (organization_id, subject, number);
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS audit_of_actor;
-- outside a transaction
CREATE INDEX CONCURRENTLY audit_of_actor ON audit_entry (organization_id, actor, number);
