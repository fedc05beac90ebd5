-- Keys, health, budgets and alerts for providers that cost money.

CREATE TABLE provider_key (
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  provider VARCHAR(64) NOT NULL,
  sealed TEXT NOT NULL,
  last_four VARCHAR(4) NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  set_at BIGINT NOT NULL,
  set_by VARCHAR(255),
  PRIMARY KEY (organization_id, provider)
);

CREATE TABLE provider_state (
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  provider VARCHAR(64) NOT NULL,
  state VARCHAR(16) NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half_open')),
  reason VARCHAR(32),
  open_until BIGINT,
  failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
  openings INTEGER NOT NULL DEFAULT 0 CHECK (openings >= 0),
  credits_left DOUBLE PRECISION,
  credits_left_at BIGINT,
  last_error_code VARCHAR(64),
  last_error_message TEXT,
  last_error_at BIGINT,
  counted_since BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (organization_id, provider),
  CHECK ((state = 'closed') = (reason IS NULL))
);

CREATE TABLE credit_budget (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  most BIGINT NOT NULL CHECK (most >= 0),
  held BIGINT NOT NULL DEFAULT 0 CHECK (held >= 0 AND held <= most),
  requested_by VARCHAR(255),
  created_at BIGINT NOT NULL
);

CREATE TABLE credit_alert (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  month VARCHAR(7) NOT NULL,
  threshold DOUBLE PRECISION NOT NULL,
  used BIGINT NOT NULL,
  most BIGINT NOT NULL,
  raised_at BIGINT NOT NULL,
  UNIQUE (organization_id, month, threshold)
);
