-- oldest code: 0.1.0
-- The lookups that a provider refused, or that were not made because it had refused others: their jobs run again once
-- it is asked again.

-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS step_refused;
-- outside a transaction
CREATE INDEX CONCURRENTLY step_refused ON step (organization_id, provider, job_id)
  WHERE error_code IN ('bad_key', 'no_access', 'no_key', 'out_of_credits', 'circuit_open');
