-- oldest code: 0.1.0
-- The lines of the audit log are found by an index also by what was done, alone, by whom and when; and the conflicts
-- with a candidate of one provider about one field. The field comes first there, so that nothing else is looked for by it.

-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS audit_of_action;
-- outside a transaction
CREATE INDEX CONCURRENTLY audit_of_action ON audit_entry (organization_id, action, number);
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS audit_of_action_and_actor;
-- outside a transaction
CREATE INDEX CONCURRENTLY audit_of_action_and_actor ON audit_entry (organization_id, action, actor, number);
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS audit_of_moment;
-- outside a transaction
CREATE INDEX CONCURRENTLY audit_of_moment ON audit_entry (organization_id, at);
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS conflict_of_providers_and_field;
-- outside a transaction
CREATE INDEX CONCURRENTLY conflict_of_providers_and_field
  ON conflict (organization_id, field, status, providers, entity_type, reason, id);
