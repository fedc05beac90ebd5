-- The first schema. Portable SQL; {id}, {json} and {text_c} are filled in by dialect (see models/migrate.py).

CREATE TABLE organization (
  id VARCHAR(128) PRIMARY KEY,
  created_at BIGINT NOT NULL,
  config {json} NOT NULL,
  config_version INTEGER NOT NULL DEFAULT 1,
  config_updated_at BIGINT NOT NULL,
  config_updated_by VARCHAR(255),
  paused_at BIGINT,
  paused_by VARCHAR(255),
  pause_reason TEXT
);

CREATE TABLE config_change (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  version INTEGER NOT NULL,
  config {json} NOT NULL,
  changed_at BIGINT NOT NULL,
  changed_by VARCHAR(255),
  UNIQUE (organization_id, version)
);

CREATE TABLE record (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  entity_type VARCHAR(16) NOT NULL CHECK (entity_type IN ('lead', 'contact', 'account')),
  external_id VARCHAR(255) NOT NULL,
  fields {json} NOT NULL,
  received {json} NOT NULL,
  search_text TEXT NOT NULL DEFAULT '',
  completeness DOUBLE PRECISION NOT NULL DEFAULT 0 CHECK (completeness BETWEEN 0 AND 1),
  version INTEGER NOT NULL DEFAULT 1,
  last_enriched_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (organization_id, entity_type, external_id)
);
CREATE INDEX record_newest ON record (organization_id, id);
CREATE INDEX record_stalest ON record (organization_id, entity_type, last_enriched_at);

CREATE TABLE job (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  record_id {id} NOT NULL REFERENCES record (id) ON DELETE CASCADE,
  entity_type VARCHAR(16) NOT NULL,
  trigger_kind VARCHAR(32) NOT NULL,
  status VARCHAR(16) NOT NULL CHECK
    (status IN ('pending', 'in_progress', 'completed', 'partial', 'failed', 'skipped', 'cancelled')),
  priority INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  max_attempts INTEGER NOT NULL DEFAULT 5 CHECK (max_attempts >= 1),
  progress INTEGER NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
  running_step VARCHAR(64),
  forced BOOLEAN NOT NULL DEFAULT FALSE,
  budget_id {id},
  fence INTEGER NOT NULL DEFAULT 0,
  lease_until BIGINT,
  next_attempt_at BIGINT,
  fields_updated {json} NOT NULL,
  outcomes {json} NOT NULL,
  filled_before {json} NOT NULL,
  filled_after {json} NOT NULL,
  matched BOOLEAN,
  credits_used BIGINT NOT NULL DEFAULT 0 CHECK (credits_used >= 0),
  short_of_credits BOOLEAN NOT NULL DEFAULT FALSE,
  error_code VARCHAR(64),
  error_message TEXT,
  error_retryable BOOLEAN,
  requested_by VARCHAR(255),
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  finished_at BIGINT,
  updated_at BIGINT NOT NULL,
  CHECK ((status = 'in_progress') = (lease_until IS NOT NULL)),
  CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL)),
  CHECK ((status IN ('pending', 'in_progress')) = (finished_at IS NULL))
);
-- One active job a record: a second trigger is folded into it.
CREATE UNIQUE INDEX job_one_active ON job (record_id) WHERE status IN ('pending', 'in_progress');
CREATE INDEX job_newest ON job (organization_id, id);
CREATE INDEX job_by_status ON job (organization_id, status, id);
CREATE INDEX job_of_record ON job (record_id, id);
CREATE INDEX job_due ON job (organization_id, priority, next_attempt_at, id) WHERE status = 'pending';
CREATE INDEX job_leased ON job (lease_until) WHERE status = 'in_progress';
CREATE INDEX job_short_of_credits ON job (organization_id, id) WHERE short_of_credits;
CREATE INDEX job_finished ON job (organization_id, finished_at);

CREATE TABLE field_value (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  record_id {id} NOT NULL REFERENCES record (id) ON DELETE CASCADE,
  field VARCHAR(64) NOT NULL,
  value {json} NOT NULL,
  source VARCHAR(64) NOT NULL,
  actor VARCHAR(255),
  confidence DOUBLE PRECISION NOT NULL CHECK (confidence BETWEEN 0 AND 1),
  job_id {id},
  observed_at BIGINT NOT NULL,
  written_at BIGINT NOT NULL,
  replaced_at BIGINT
);
-- One current value a field; what was replaced stays as its history.
CREATE UNIQUE INDEX field_value_current ON field_value (record_id, field) WHERE replaced_at IS NULL;
CREATE INDEX field_value_history ON field_value (record_id, id);
CREATE INDEX field_value_of_job ON field_value (job_id);

CREATE TABLE step (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  job_id {id} NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  provider VARCHAR(64) NOT NULL,
  outcome VARCHAR(16) NOT NULL CHECK (outcome IN ('match', 'no_match', 'error', 'skipped')),
  skipped_reason VARCHAR(64),
  detail TEXT NOT NULL DEFAULT '',
  latency_ms INTEGER,
  credits_charged BIGINT NOT NULL DEFAULT 0 CHECK (credits_charged >= 0),
  fields_found {json} NOT NULL,
  candidates {json} NOT NULL,
  error_code VARCHAR(64),
  error_message TEXT,
  error_retryable BOOLEAN,
  asked_at BIGINT NOT NULL,
  UNIQUE (job_id, provider)
);
CREATE INDEX step_by_provider ON step (organization_id, provider, asked_at);

CREATE TABLE conflict (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  record_id {id} NOT NULL REFERENCES record (id) ON DELETE CASCADE,
  job_id {id} NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  entity_type VARCHAR(16) NOT NULL,
  field VARCHAR(64) NOT NULL,
  reason VARCHAR(32) NOT NULL,
  status VARCHAR(16) NOT NULL CHECK (status IN ('open', 'resolved', 'superseded')),
  current {json},
  candidates {json} NOT NULL,
  providers TEXT NOT NULL DEFAULT '',
  recommended_id {id},
  recommended_because TEXT NOT NULL DEFAULT '',
  resolution {json},
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  resolved_at BIGINT,
  CHECK ((status = 'resolved') = (resolution IS NOT NULL))
);
-- At most one open question a field.
CREATE UNIQUE INDEX conflict_one_open ON conflict (record_id, field) WHERE status = 'open';
CREATE INDEX conflict_by_status ON conflict (organization_id, status, id);
CREATE INDEX conflict_of_job ON conflict (job_id);
CREATE INDEX conflict_resolved ON conflict (organization_id, resolved_at);

CREATE TABLE rejection (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  record_id {id} NOT NULL REFERENCES record (id) ON DELETE CASCADE,
  field VARCHAR(64) NOT NULL,
  value_key VARCHAR(64) NOT NULL,
  source VARCHAR(64) NOT NULL,
  rejected_at BIGINT NOT NULL,
  UNIQUE (record_id, field, value_key, source)
);

CREATE TABLE credit_account (
  organization_id VARCHAR(128) PRIMARY KEY REFERENCES organization (id),
  balance BIGINT NOT NULL DEFAULT 0,
  monthly_balance BIGINT NOT NULL DEFAULT 0,
  reserved BIGINT NOT NULL DEFAULT 0,
  month VARCHAR(7) NOT NULL DEFAULT '',
  used_in_month BIGINT NOT NULL DEFAULT 0,
  day VARCHAR(10) NOT NULL DEFAULT '',
  used_in_day BIGINT NOT NULL DEFAULT 0,
  CHECK (balance >= 0),
  CHECK (reserved >= 0 AND reserved <= balance),
  CHECK (monthly_balance >= 0 AND monthly_balance <= balance)
);

CREATE TABLE credit_entry (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  kind VARCHAR(16) NOT NULL CHECK (kind IN ('grant', 'expiry', 'reservation', 'charge', 'release')),
  amount BIGINT NOT NULL,
  reserved_change BIGINT NOT NULL DEFAULT 0,
  job_id {id},
  record_id {id},
  provider VARCHAR(64),
  entity_type VARCHAR(16),
  trigger_kind VARCHAR(32),
  settles {id},
  note TEXT,
  actor VARCHAR(255),
  idempotency_key VARCHAR(255),
  created_at BIGINT NOT NULL,
  CHECK (
    (kind = 'grant' AND amount > 0 AND reserved_change = 0) OR
    (kind = 'expiry' AND amount < 0 AND reserved_change = 0) OR
    (kind = 'reservation' AND amount = 0 AND reserved_change > 0 AND settles IS NULL) OR
    (kind = 'charge' AND amount < 0 AND reserved_change = amount AND settles IS NOT NULL) OR
    (kind = 'release' AND amount = 0 AND reserved_change < 0 AND settles IS NOT NULL)
  )
);
-- A reservation is settled once; a job pays a provider once; a repeated grant is the first one.
CREATE UNIQUE INDEX credit_entry_settled_once ON credit_entry (settles) WHERE settles IS NOT NULL;
CREATE UNIQUE INDEX credit_entry_one_charge ON credit_entry (job_id, provider) WHERE kind = 'charge';
CREATE UNIQUE INDEX credit_entry_idempotent ON credit_entry (organization_id, idempotency_key)
  WHERE idempotency_key IS NOT NULL;
CREATE INDEX credit_entry_newest ON credit_entry (organization_id, id);
CREATE INDEX credit_entry_of_period ON credit_entry (organization_id, kind, created_at);
CREATE INDEX credit_entry_of_job ON credit_entry (job_id);

CREATE TABLE answer (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  provider VARCHAR(64) NOT NULL,
  input_key VARCHAR(64) NOT NULL,
  state VARCHAR(16) NOT NULL CHECK (state IN ('asking', 'answered', 'pending', 'maybe_charged')),
  matched BOOLEAN,
  findings {json},
  detail TEXT NOT NULL DEFAULT '',
  asked_by {id},
  reservation_id {id},
  token TEXT,
  lease_until BIGINT,
  answered_at BIGINT,
  expires_at BIGINT,
  CHECK ((state = 'answered') = (answered_at IS NOT NULL)),
  CHECK ((state = 'pending') = (token IS NOT NULL)),
  UNIQUE (organization_id, provider, input_key)
);
CREATE INDEX answer_expired ON answer (expires_at);

-- The ledger only grows.
-- sqlite only
CREATE TRIGGER credit_entry_no_update BEFORE UPDATE ON credit_entry
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- sqlite only
CREATE TRIGGER credit_entry_no_delete BEFORE DELETE ON credit_entry
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- postgresql only
CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'check_violation'; END; $$;
-- postgresql only
CREATE TRIGGER credit_entry_append_only BEFORE UPDATE OR DELETE ON credit_entry
  FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change();
