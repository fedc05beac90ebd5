-- When values were seen again, how fast fields change, and what a day refreshes.

-- `first_observed_at`: when the source saw the value first, once it saw it again; NULL: `observed_at` is that.
-- `verified_at`: when we heard last that it holds, `verified_count` how often.
ALTER TABLE field_value ADD COLUMN first_observed_at BIGINT;
ALTER TABLE field_value ADD COLUMN verified_at BIGINT;
ALTER TABLE field_value ADD COLUMN verified_count INTEGER NOT NULL DEFAULT 0;

-- When enrichment's own values were last looked up again, whatever came of it.
ALTER TABLE record ADD COLUMN refreshed_at BIGINT;

CREATE TABLE half_life (
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  entity_type VARCHAR(16) NOT NULL,
  field VARCHAR(64) NOT NULL,
  days DOUBLE PRECISION NOT NULL CHECK (days > 0),
  low_days DOUBLE PRECISION NOT NULL CHECK (low_days > 0),
  high_days DOUBLE PRECISION NOT NULL CHECK (high_days >= low_days),
  prior_days DOUBLE PRECISION NOT NULL CHECK (prior_days > 0),
  changes BIGINT NOT NULL CHECK (changes >= 0),
  observed_days DOUBLE PRECISION NOT NULL CHECK (observed_days >= 0),
  PRIMARY KEY (organization_id, entity_type, field)
);

-- `day` (UTC) is the one that `budget_id` and `started` (records) belong to; `planned_for` is a config's version.
CREATE TABLE refresh_state (
  organization_id VARCHAR(128) PRIMARY KEY REFERENCES organization (id),
  fitted_at BIGINT,
  swept_at BIGINT NOT NULL DEFAULT 0,
  day VARCHAR(10) NOT NULL DEFAULT '',
  budget_id {id},
  started BIGINT NOT NULL DEFAULT 0 CHECK (started >= 0),
  planned_at BIGINT,
  planned_for INTEGER
);

-- Whom to refresh, the stalest first; with a job once it is started, and the most that may cost.
CREATE TABLE refresh_plan (
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  record_id {id} NOT NULL REFERENCES record (id) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  staleness DOUBLE PRECISION NOT NULL,
  most BIGINT NOT NULL DEFAULT 0 CHECK (most >= 0),
  job_id {id},
  PRIMARY KEY (organization_id, record_id)
);
CREATE INDEX refresh_plan_record ON refresh_plan (record_id);
CREATE INDEX refresh_plan_next ON refresh_plan (organization_id, place) WHERE job_id IS NULL;
CREATE INDEX refresh_plan_started ON refresh_plan (organization_id, job_id) WHERE job_id IS NOT NULL;
