-- oldest code: 0.1.0
-- How far the proofs of ledger and audit log have got, so that the next goes on from there: `resolvers.credit.prove`,
-- `resolvers.audit_proof`. `through_id`, `number`: the last line that is proved; `digest`, `hash`: of all lines up to it.

CREATE TABLE ledger_proof (
  organization_id VARCHAR(128) PRIMARY KEY REFERENCES organization (id),
  through_id {id} NOT NULL,
  entries BIGINT NOT NULL,
  balance BIGINT NOT NULL,
  reserved BIGINT NOT NULL,
  charged_by_day {json} NOT NULL,
  audit_number BIGINT NOT NULL,
  digest VARCHAR(64) NOT NULL,
  faults {json} NOT NULL,
  proved_at BIGINT NOT NULL,
  whole_at BIGINT,
  seal VARCHAR(64),
  seal_key_id VARCHAR(32)
);

CREATE TABLE audit_proof (
  organization_id VARCHAR(128) PRIMARY KEY REFERENCES organization (id),
  number BIGINT NOT NULL,
  hash VARCHAR(64) NOT NULL,
  walked {json} NOT NULL,
  proved_at BIGINT NOT NULL,
  seal VARCHAR(64),
  seal_key_id VARCHAR(32)
);

-- The jobs of a budget, to compare what it holds with their lines.
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS job_of_budget;
-- outside a transaction
CREATE INDEX CONCURRENTLY job_of_budget ON job (budget_id) WHERE budget_id IS NOT NULL;
