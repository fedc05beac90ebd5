-- oldest code: 0.1.0
-- The list of conflicts finds its page by an index when it is filtered by statuses, entity types, reasons and a field.

-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS conflict_of_kind;
-- outside a transaction
CREATE INDEX CONCURRENTLY conflict_of_kind ON conflict (organization_id, status, entity_type, reason, id);
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS conflict_of_field;
-- outside a transaction
CREATE INDEX CONCURRENTLY conflict_of_field ON conflict (organization_id, status, entity_type, reason, field, id);
