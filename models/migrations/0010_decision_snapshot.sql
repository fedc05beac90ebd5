-- oldest code: 0.1.0
-- The decision snapshots get a table of their own name. Version 0.1.0 goes on under the name it knows, through a view;
-- a later migration drops the view once no 0.1.0 can be running any more.

ALTER TABLE hearing RENAME TO decision_snapshot;
-- postgresql only
ALTER INDEX hearing_pkey RENAME TO decision_snapshot_pkey;
-- postgresql only
ALTER INDEX hearing_of_period RENAME TO decision_snapshot_of_period;
-- postgresql only
ALTER INDEX hearing_of_record RENAME TO decision_snapshot_of_record;
-- sqlite only
DROP INDEX hearing_of_period;
-- sqlite only
DROP INDEX hearing_of_record;
-- sqlite only
CREATE INDEX decision_snapshot_of_period ON decision_snapshot (organization_id, decided_at, id);
-- sqlite only
CREATE INDEX decision_snapshot_of_record ON decision_snapshot (record_id, decided_at);

-- PostgreSQL passes on by itself what is written to such a view; SQLite needs to be told how.
CREATE VIEW hearing AS SELECT id, organization_id, record_id, job_id, decided_at, body FROM decision_snapshot;
-- sqlite only
CREATE TRIGGER hearing_insert INSTEAD OF INSERT ON hearing
  BEGIN INSERT INTO decision_snapshot (id, organization_id, record_id, job_id, decided_at, body)
  VALUES (NEW.id, NEW.organization_id, NEW.record_id, NEW.job_id, NEW.decided_at, NEW.body); END;
-- sqlite only
CREATE TRIGGER hearing_delete INSTEAD OF DELETE ON hearing BEGIN DELETE FROM decision_snapshot WHERE id = OLD.id; END;
