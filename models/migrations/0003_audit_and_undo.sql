-- same result as: e9d2f56784d2e7cabc6afd101e6999e2030158f202d5347e005f9d991c4f3208
-- Who changed what, as a chain of lines; and what is needed to put values back.

CREATE TABLE audit_head (
  organization_id VARCHAR(128) PRIMARY KEY REFERENCES organization (id),
  number BIGINT NOT NULL DEFAULT 0,
  hash VARCHAR(64) NOT NULL DEFAULT ''
);

-- `details` is kept as the text that was hashed: JSONB would write it anew.
CREATE TABLE audit_entry (
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  number BIGINT NOT NULL CHECK (number > 0),
  at BIGINT NOT NULL,
  actor VARCHAR(255),
  origin VARCHAR(255),
  action VARCHAR(64) NOT NULL,
  subject VARCHAR(255) NOT NULL,
  details TEXT NOT NULL,
  previous VARCHAR(64) NOT NULL,
  hash VARCHAR(64) NOT NULL,
  PRIMARY KEY (organization_id, number)
);

-- sqlite only
CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
  BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- sqlite only
CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
  BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- postgresql only
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'check_violation'; END; $$;
-- postgresql only
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();

-- `replaces`: the value that was current before this one; `restores`: the value that an undo put back as this one.
ALTER TABLE field_value ADD COLUMN replaces {id};
ALTER TABLE field_value ADD COLUMN restores {id};
ALTER TABLE field_value ADD COLUMN undo_id {id};
ALTER TABLE rejection ADD COLUMN undo_id {id};

CREATE TABLE undo (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  kind VARCHAR(16) NOT NULL CHECK (kind IN ('job', 'enrichment', 'undo')),
  status VARCHAR(16) NOT NULL CHECK (status IN ('running', 'done')),
  scope {json} NOT NULL,
  undoes {id},
  restored INTEGER NOT NULL DEFAULT 0,
  skipped INTEGER NOT NULL DEFAULT 0,
  requested_by VARCHAR(255),
  created_at BIGINT NOT NULL,
  finished_at BIGINT
);
CREATE INDEX undo_newest ON undo (organization_id, id);
CREATE INDEX undo_of_undo ON undo (undoes) WHERE undoes IS NOT NULL;

CREATE TABLE undo_line (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  undo_id {id} NOT NULL REFERENCES undo (id),
  record_id {id} NOT NULL REFERENCES record (id) ON DELETE CASCADE,
  field VARCHAR(64) NOT NULL,
  outcome VARCHAR(16) NOT NULL CHECK (outcome IN ('restored', 'skipped')),
  reason VARCHAR(32),
  removed_id {id},
  restored_id {id},
  UNIQUE (undo_id, record_id, field)
);
CREATE INDEX undo_line_newest ON undo_line (undo_id, id);
CREATE INDEX undo_line_of_record ON undo_line (record_id, field);

-- Last what takes long on filled tables, so that nobody waits for it.
-- in batches of field_value
UPDATE field_value SET replaces = (
  SELECT MAX(earlier.id) FROM field_value earlier
  WHERE earlier.record_id = field_value.record_id AND earlier.field = field_value.field AND earlier.id < field_value.id
) WHERE {batch};
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS field_value_by_source;
-- outside a transaction
CREATE INDEX CONCURRENTLY field_value_by_source ON field_value (organization_id, source, record_id);
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS rejection_of_undo;
-- outside a transaction
CREATE INDEX CONCURRENTLY rejection_of_undo ON rejection (undo_id) WHERE undo_id IS NOT NULL;
