-- same result as: e2eca3aac72958f6a4765655ab54d9b0c7a19b57f34334ca19a4097a64ea231f
-- Who must not be looked up, and who was erased and must not come back: as keyed hashes, never as values.

-- Random keys of this installation, made once; `value` is sealed where there is an ENCRYPTION_KEY.
CREATE TABLE installation_secret (
  name VARCHAR(64) PRIMARY KEY,
  value TEXT NOT NULL,
  sealed BOOLEAN NOT NULL,
  made_at BIGINT NOT NULL
);

CREATE TABLE suppression (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  kind VARCHAR(16) NOT NULL CHECK (kind IN ('email', 'domain', 'phone')),
  hash VARCHAR(64) NOT NULL,
  note TEXT,
  added_at BIGINT NOT NULL,
  added_by VARCHAR(255),
  UNIQUE (organization_id, hash)
);
CREATE INDEX suppression_newest ON suppression (organization_id, id);

-- What was removed, and where: a certificate. It holds counts, never what was there.
CREATE TABLE erasure (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  entity_type VARCHAR(16) NOT NULL,
  reason TEXT,
  erased_at BIGINT NOT NULL,
  erased_by VARCHAR(255),
  removed {json} NOT NULL,
  not_reached {json} NOT NULL,
  lifted_at BIGINT,
  lifted_by VARCHAR(255)
);
CREATE INDEX erasure_newest ON erasure (organization_id, id);

-- `shared`: several people may go by it, so that a name must not speak against it.
CREATE TABLE tombstone (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  erasure_id {id} NOT NULL REFERENCES erasure (id) ON DELETE CASCADE,
  kind VARCHAR(16) NOT NULL CHECK (kind IN ('external_id', 'email', 'phone', 'domain', 'profile', 'name')),
  hash VARCHAR(64) NOT NULL,
  shared BOOLEAN NOT NULL DEFAULT FALSE,
  named BOOLEAN NOT NULL DEFAULT FALSE,
  UNIQUE (erasure_id, hash)
);
CREATE INDEX tombstone_of ON tombstone (organization_id, hash);
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS answer_of_job;
-- outside a transaction
CREATE INDEX CONCURRENTLY answer_of_job ON answer (asked_by);
