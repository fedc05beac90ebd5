-- oldest code: 0.1.0
-- A job pays a provider once for an answer about its record, and once for one about a person's company, which is the
-- account's own question: its lines carry the entity type of what was asked about.

-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS credit_entry_one_charge_of_kind;
-- outside a transaction
CREATE UNIQUE INDEX CONCURRENTLY credit_entry_one_charge_of_kind
  ON credit_entry (job_id, provider, entity_type, organization_id) WHERE kind = 'charge';
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS credit_entry_one_charge;
