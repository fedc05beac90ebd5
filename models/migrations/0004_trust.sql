-- same result as: b169338f367eb38e7d3e081d434ba4b23ab7f7465b9590a64bac5c54006b40b2
-- What people's decisions teach about the sources, and the suggestions that they wanted to hear no more of.

CREATE TABLE trust (
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  provider VARCHAR(64) NOT NULL,
  entity_type VARCHAR(16) NOT NULL,
  field VARCHAR(64) NOT NULL,
  accepted BIGINT NOT NULL DEFAULT 0 CHECK (accepted >= 0),
  rejected BIGINT NOT NULL DEFAULT 0 CHECK (rejected >= 0),
  overwritten BIGINT NOT NULL DEFAULT 0 CHECK (overwritten >= 0),
  stated DOUBLE PRECISION NOT NULL DEFAULT 0,
  PRIMARY KEY (organization_id, provider, entity_type, field)
);

CREATE TABLE suggestion_dismissal (
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  pattern VARCHAR(255) NOT NULL,
  dismissed_at BIGINT NOT NULL,
  dismissed_by VARCHAR(255),
  PRIMARY KEY (organization_id, pattern)
);

ALTER TABLE conflict ADD COLUMN by_rule BOOLEAN NOT NULL DEFAULT FALSE;
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS conflict_decided;
-- outside a transaction
CREATE INDEX CONCURRENTLY conflict_decided ON conflict (organization_id, resolved_at) WHERE status = 'resolved' AND NOT by_rule;
