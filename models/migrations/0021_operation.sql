-- oldest code: 0.1.0
-- What has many steps and goes on in another process when its own has died: undos, resolutions of many conflicts,
-- erasures. Version 0.1.0 does these without such a row, and nobody resumes what it leaves.

-- `scope`: what is to be done, as ids; empty once nothing is left to do. `position`: how far it is. Whoever works on it
-- has the lease, and names the `fence` with each step. `attempts`: how often it was taken up since the last step.
CREATE TABLE operation (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  kind VARCHAR(32) NOT NULL,
  status VARCHAR(16) NOT NULL CHECK (status IN ('running', 'done', 'stopped')),
  scope {json} NOT NULL,
  position VARCHAR(64) NOT NULL DEFAULT '',
  fence INTEGER NOT NULL DEFAULT 1,
  attempts INTEGER NOT NULL DEFAULT 0,
  lease_until BIGINT,
  requested_by VARCHAR(255),
  origin VARCHAR(255),
  created_at BIGINT NOT NULL,
  finished_at BIGINT,
  CHECK ((status = 'running') = (lease_until IS NOT NULL)),
  CHECK ((status = 'running') = (finished_at IS NULL))
);
CREATE INDEX operation_lost ON operation (lease_until) WHERE status = 'running';

-- Whether an undo ended before it had gone through everything; NULL: it did not.
ALTER TABLE undo ADD COLUMN stopped BOOLEAN;
