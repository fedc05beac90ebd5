-- oldest code: 0.1.0
-- The log of what changed, by organization: ids, names of fields and counts, never a value. A row is written in the
-- transaction that makes the change; `kind` and `data` are read by `models.event.single`.
--
-- `position` orders rows as readers may see them. On PostgreSQL it is the transaction's id: a reader stops before the
-- oldest transaction that is under way, so that nothing that commits late is behind it. SQLite has one writer, which
-- counts. `number` orders the rows of one transaction.

CREATE TABLE event (
  organization_id VARCHAR(128) NOT NULL,
  position BIGINT NOT NULL,
  number BIGINT NOT NULL,
  at BIGINT NOT NULL,
  kind VARCHAR(24) NOT NULL,
  entity_type VARCHAR(16),
  record_id VARCHAR(36),
  data {json} NOT NULL
);
-- postgresql only
ALTER TABLE event ALTER COLUMN position SET DEFAULT (pg_current_xact_id()::text::bigint);
CREATE UNIQUE INDEX event_order ON event (organization_id, position, number);
CREATE INDEX event_of_record ON event (record_id);

-- How far the log of an organization was pruned: the last row that went.
CREATE TABLE event_floor (
  organization_id VARCHAR(128) PRIMARY KEY,
  position BIGINT NOT NULL,
  number BIGINT NOT NULL
);
