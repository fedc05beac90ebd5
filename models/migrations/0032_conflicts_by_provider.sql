-- oldest code: 0.1.0
-- The list of conflicts finds its page by an index when it is filtered by a provider: the groups of providers that occur
-- are found by it, and the newest conflicts of each group.

-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS conflict_of_providers;
-- outside a transaction
CREATE INDEX CONCURRENTLY conflict_of_providers ON conflict (organization_id, status, providers, entity_type, reason, id);
