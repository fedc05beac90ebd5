-- What each job decided on and what it was told, so that the decision can be taken again under other rules.
-- `body` is kept as text: nothing searches in it (see enrichment/recorded.py for what it holds).

CREATE TABLE hearing (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  record_id {id} NOT NULL REFERENCES record (id) ON DELETE CASCADE,
  job_id {id} NOT NULL,
  decided_at BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX hearing_of_period ON hearing (organization_id, decided_at, id);
CREATE INDEX hearing_of_record ON hearing (record_id, decided_at);
