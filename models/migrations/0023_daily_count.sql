-- oldest code: 0.1.0
-- What the statistics show is counted in the transaction that changes it: by organization, day (days since 1970, UTC)
-- and all that the API breaks it down by. Day -1 holds the sums over all days. `models.daily_count` says what each
-- measure is. Triggers keep the counts, so that every version of the code counts the same.
--
-- SQLite has one writer, which adds to the row of a count. PostgreSQL's writers would wait for each other there: they
-- add rows of their own (not `is_merged`), one for each count and statement, which the upkeep merges.
--
-- `uncounted`: a row of before this migration that has no part in the counts yet (PostgreSQL).

CREATE TABLE daily_count (
  organization_id VARCHAR(128) NOT NULL,
  measure VARCHAR(32) NOT NULL,
  day INTEGER NOT NULL,
  entity_type VARCHAR(16) NOT NULL,
  trigger_kind VARCHAR(32) NOT NULL,
  provider VARCHAR(64) NOT NULL,
  name VARCHAR(255) NOT NULL,
  events BIGINT NOT NULL,
  credits BIGINT NOT NULL,
  is_merged BOOLEAN NOT NULL DEFAULT FALSE
);
-- postgresql only
ALTER TABLE daily_count SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX daily_count_of_day ON daily_count (organization_id, measure, day);
CREATE UNIQUE INDEX daily_count_merged
  ON daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name) WHERE is_merged;
-- postgresql only
CREATE INDEX daily_count_unmerged ON daily_count (organization_id) WHERE NOT is_merged;

-- sqlite only
ALTER TABLE job ADD COLUMN uncounted BOOLEAN;
-- sqlite only
ALTER TABLE step ADD COLUMN uncounted BOOLEAN;
-- sqlite only
ALTER TABLE credit_entry ADD COLUMN uncounted BOOLEAN;
-- postgresql only
ALTER TABLE job ADD COLUMN uncounted BOOLEAN DEFAULT TRUE;
-- postgresql only
ALTER TABLE job ALTER COLUMN uncounted DROP DEFAULT;
-- postgresql only
ALTER TABLE step ADD COLUMN uncounted BOOLEAN DEFAULT TRUE;
-- postgresql only
ALTER TABLE step ALTER COLUMN uncounted DROP DEFAULT;
-- postgresql only
ALTER TABLE credit_entry ADD COLUMN uncounted BOOLEAN DEFAULT TRUE;
-- postgresql only
ALTER TABLE credit_entry ALTER COLUMN uncounted DROP DEFAULT;

-- Latencies of 64 ms and more are counted by their first six binary digits: at most 3.2 % lower.
-- postgresql only
CREATE FUNCTION latency_bucket(ms INTEGER) RETURNS INTEGER LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN ms < 64 THEN ms WHEN ms < 128 THEN ms / 2 * 2 WHEN ms < 256 THEN ms / 4 * 4
    WHEN ms < 512 THEN ms / 8 * 8 WHEN ms < 1024 THEN ms / 16 * 16 WHEN ms < 2048 THEN ms / 32 * 32
    WHEN ms < 4096 THEN ms / 64 * 64 WHEN ms < 8192 THEN ms / 128 * 128 WHEN ms < 16384 THEN ms / 256 * 256
    WHEN ms < 32768 THEN ms / 512 * 512 WHEN ms < 65536 THEN ms / 1024 * 1024
    WHEN ms < 131072 THEN ms / 2048 * 2048 ELSE ms / 4096 * 4096 END $$;

-- postgresql only
CREATE FUNCTION counts_of_job(j job)
  RETURNS TABLE (measure TEXT, trigger_kind TEXT, name TEXT, events BIGINT, credits BIGINT)
  LANGUAGE sql STABLE AS $$
  SELECT 'job', j.trigger_kind, j.status, 1, j.credits_used
  UNION ALL SELECT 'job_asked', j.trigger_kind, '', 1, 0 WHERE j.matched IS NOT NULL
  UNION ALL SELECT 'job_matched', j.trigger_kind, '', 1, 0 WHERE j.matched
  UNION ALL SELECT 'field_written', '', '', jsonb_array_length(j.fields_updated), 0
    WHERE jsonb_array_length(j.fields_updated) > 0
  UNION ALL SELECT 'field_outcome', '', item.value ->> 'reason', COUNT(*), 0
    FROM jsonb_array_elements(j.outcomes) AS item(value)
    WHERE j.status NOT IN ('pending', 'in_progress') GROUP BY 3
  UNION ALL SELECT 'filled_before', '', item.value, 1, 0 FROM jsonb_array_elements_text(j.filled_before) AS item(value)
    WHERE j.status IN ('completed', 'partial', 'failed')
  UNION ALL SELECT 'filled_after', '', item.value, 1, 0 FROM jsonb_array_elements_text(j.filled_after) AS item(value)
    WHERE j.status IN ('completed', 'partial', 'failed') $$;
-- postgresql only
CREATE FUNCTION count_jobs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
    SELECT j.organization_id, c.measure, d.day, j.entity_type, c.trigger_kind, '', c.name, SUM(c.events), SUM(c.credits)
    FROM added AS j CROSS JOIN LATERAL counts_of_job(ROW(j.*)::job) AS c
    CROSS JOIN LATERAL (VALUES (j.created_at / 86400000000), (-1)) AS d(day)
    GROUP BY 1, 2, 3, 4, 5, 7
    ; ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
    SELECT j.organization_id, c.measure, d.day, j.entity_type, c.trigger_kind, '', c.name,
      SUM(j.sign * c.events), SUM(j.sign * c.credits)
    FROM (
      SELECT 1 AS sign, n.organization_id, n.entity_type, n.created_at, ROW(n.*)::job AS row FROM added AS n
        WHERE n.uncounted IS NOT TRUE
      UNION ALL
      SELECT -1, o.organization_id, o.entity_type, o.created_at, ROW(o.*)::job FROM gone AS o
        WHERE o.uncounted IS NOT TRUE
    ) AS j CROSS JOIN LATERAL counts_of_job(j.row) AS c
    CROSS JOIN LATERAL (VALUES (j.created_at / 86400000000), (-1)) AS d(day)
    GROUP BY 1, 2, 3, 4, 5, 7 HAVING SUM(j.sign * c.events) <> 0 OR SUM(j.sign * c.credits) <> 0
    ; ELSE
    INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
    SELECT o.organization_id, 'job', d.day, o.entity_type, o.trigger_kind, '', o.status, -COUNT(*), -SUM(o.credits_used)
    FROM gone AS o CROSS JOIN LATERAL (VALUES (o.created_at / 86400000000), (-1)) AS d(day)
    WHERE o.status IN ('pending', 'in_progress') AND o.uncounted IS NOT TRUE
    GROUP BY 1, 3, 4, 5, 7
    ; END IF
  ; RETURN NULL
  ; END $$;
-- postgresql only
CREATE TRIGGER job_counted_insert AFTER INSERT ON job REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_jobs();
-- postgresql only
CREATE TRIGGER job_counted_update AFTER UPDATE ON job REFERENCING OLD TABLE AS gone NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_jobs();
-- postgresql only
CREATE TRIGGER job_counted_delete AFTER DELETE ON job REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION count_jobs();

-- postgresql only
CREATE FUNCTION count_steps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
    SELECT s.organization_id, c.measure, d.day, '', '', s.provider, c.name, COUNT(*), SUM(c.credits)
    FROM added AS s JOIN job ON job.id = s.job_id
    CROSS JOIN LATERAL (VALUES ('lookup', s.outcome::TEXT, s.credits_charged),
      ('latency', latency_bucket(s.latency_ms)::TEXT, 0)) AS c(measure, name, credits)
    CROSS JOIN LATERAL (VALUES (job.created_at / 86400000000), (-1)) AS d(day)
    WHERE c.name IS NOT NULL GROUP BY 1, 2, 3, 6, 7
    ; ELSE
    INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
    SELECT s.organization_id, c.measure, d.day, '', '', s.provider, c.name, SUM(s.sign), SUM(s.sign * c.credits)
    FROM (
      SELECT 1 AS sign, organization_id, job_id, provider, outcome, latency_ms, credits_charged FROM added
        WHERE uncounted IS NOT TRUE
      UNION ALL
      SELECT -1, organization_id, job_id, provider, outcome, latency_ms, credits_charged FROM gone
        WHERE uncounted IS NOT TRUE
    ) AS s JOIN job ON job.id = s.job_id
    CROSS JOIN LATERAL (VALUES ('lookup', s.outcome::TEXT, s.credits_charged),
      ('latency', latency_bucket(s.latency_ms)::TEXT, 0)) AS c(measure, name, credits)
    CROSS JOIN LATERAL (VALUES (job.created_at / 86400000000), (-1)) AS d(day)
    WHERE c.name IS NOT NULL
    GROUP BY 1, 2, 3, 6, 7 HAVING SUM(s.sign) <> 0 OR SUM(s.sign * c.credits) <> 0
    ; END IF
  ; RETURN NULL
  ; END $$;
-- postgresql only
CREATE TRIGGER step_counted_insert AFTER INSERT ON step REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_steps();
-- postgresql only
CREATE TRIGGER step_counted_update AFTER UPDATE ON step REFERENCING OLD TABLE AS gone NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_steps();

-- A charge is wasted until its provider's value is written for its job.
-- postgresql only
CREATE FUNCTION count_credits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
  SELECT e.organization_id, e.kind, d.day, COALESCE(e.entity_type, ''), COALESCE(e.trigger_kind, ''),
    COALESCE(e.provider, ''), CASE WHEN e.kind = 'release' THEN LEFT(COALESCE(e.note, ''), 255) ELSE '' END,
    COUNT(*), SUM(CASE WHEN e.kind = 'grant' THEN e.amount WHEN e.kind = 'charge' THEN -e.amount
      ELSE -e.reserved_change END)
  FROM added AS e CROSS JOIN LATERAL (VALUES (e.created_at / 86400000000), (-1)) AS d(day)
  WHERE e.kind IN ('grant', 'charge', 'release') GROUP BY 1, 2, 3, 4, 5, 6, 7
  ; INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
  SELECT e.organization_id, 'wasted', d.day, '', '', COALESCE(e.provider, ''), '', COUNT(*), SUM(-e.amount)
  FROM added AS e CROSS JOIN LATERAL (VALUES (e.created_at / 86400000000), (-1)) AS d(day)
  WHERE e.kind = 'charge'
    AND NOT EXISTS (SELECT 1 FROM field_value AS f WHERE f.job_id = e.job_id AND f.source = e.provider)
  GROUP BY 1, 3, 6
  ; RETURN NULL
  ; END $$;
-- postgresql only
CREATE TRIGGER credit_entry_counted AFTER INSERT ON credit_entry REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_credits();
-- postgresql only
CREATE FUNCTION count_useful_charges() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
  SELECT e.organization_id, 'wasted', d.day, '', '', COALESCE(e.provider, ''), '', -COUNT(*), SUM(e.amount)
  FROM (SELECT DISTINCT job_id, source FROM added WHERE job_id IS NOT NULL) AS v
  JOIN credit_entry AS e ON e.job_id = v.job_id AND e.provider = v.source AND e.kind = 'charge'
    AND e.uncounted IS NOT TRUE
  CROSS JOIN LATERAL (VALUES (e.created_at / 86400000000), (-1)) AS d(day)
  WHERE NOT EXISTS (SELECT 1 FROM field_value AS f WHERE f.job_id = v.job_id AND f.source = v.source
    AND f.id NOT IN (SELECT id FROM added))
  GROUP BY 1, 3, 6
  ; RETURN NULL
  ; END $$;
-- postgresql only
CREATE TRIGGER field_value_counted AFTER INSERT ON field_value REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_useful_charges();

-- postgresql only
CREATE FUNCTION count_conflicts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
    SELECT organization_id, 'conflict_open', -1, entity_type, '', '', '', COUNT(*), 0 FROM added
    WHERE status = 'open' GROUP BY 1, 4
    ; ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
    SELECT organization_id, 'conflict_open', -1, entity_type, '', '', '', -COUNT(*), 0 FROM gone
    WHERE status = 'open' GROUP BY 1, 4
    ; ELSE
    INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
    SELECT c.organization_id, n.measure, n.day, c.entity_type, '', '', '', SUM(c.sign), 0 FROM (
      SELECT 1 AS sign, organization_id, entity_type, status, resolved_at FROM added
      UNION ALL SELECT -1, organization_id, entity_type, status, resolved_at FROM gone
    ) AS c CROSS JOIN LATERAL (VALUES
      ('conflict_open', CASE WHEN c.status = 'open' THEN -1 END),
      ('conflict_resolved', CASE WHEN c.resolved_at IS NOT NULL THEN -1 END),
      ('conflict_resolved', c.resolved_at / 86400000000)) AS n(measure, day)
    WHERE n.day IS NOT NULL GROUP BY 1, 2, 3, 4 HAVING SUM(c.sign) <> 0
    ; END IF
  ; RETURN NULL
  ; END $$;
-- postgresql only
CREATE FUNCTION count_records() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
    SELECT organization_id, 'record', -1, entity_type, '', '', '', COUNT(*), 0 FROM added GROUP BY 1, 4
    ; ELSE
    INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
    SELECT organization_id, 'record', -1, entity_type, '', '', '', -COUNT(*), 0 FROM gone GROUP BY 1, 4
    ; END IF
  ; RETURN NULL
  ; END $$;

-- sqlite only
CREATE TRIGGER job_counted_insert AFTER INSERT ON job BEGIN
  INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
    is_merged)
  SELECT NEW.organization_id, c.measure, d.day, NEW.entity_type, c.trigger_kind, '', c.name, SUM(c.events),
    SUM(c.credits), TRUE
  FROM (
    SELECT 'job' AS measure, NEW.trigger_kind AS trigger_kind, NEW.status AS name, 1 AS events,
      NEW.credits_used AS credits
    UNION ALL SELECT 'job_asked', NEW.trigger_kind, '', 1, 0 WHERE NEW.matched IS NOT NULL
    UNION ALL SELECT 'job_matched', NEW.trigger_kind, '', 1, 0 WHERE NEW.matched
    UNION ALL SELECT 'field_written', '', '', json_array_length(NEW.fields_updated), 0
      WHERE json_array_length(NEW.fields_updated) > 0
    UNION ALL SELECT 'field_outcome', '', json_extract(item.value, '$.reason'), 1, 0 FROM json_each(NEW.outcomes) AS item
      WHERE NEW.status NOT IN ('pending', 'in_progress')
    UNION ALL SELECT 'filled_before', '', item.value, 1, 0 FROM json_each(NEW.filled_before) AS item
      WHERE NEW.status IN ('completed', 'partial', 'failed')
    UNION ALL SELECT 'filled_after', '', item.value, 1, 0 FROM json_each(NEW.filled_after) AS item
      WHERE NEW.status IN ('completed', 'partial', 'failed')
  ) AS c CROSS JOIN (SELECT NEW.created_at / 86400000000 AS day UNION ALL SELECT -1) AS d
  WHERE TRUE GROUP BY c.measure, d.day, c.trigger_kind, c.name
  ON CONFLICT (organization_id, measure, day, entity_type, trigger_kind, provider, name) WHERE is_merged
    DO UPDATE SET events = events + excluded.events, credits = credits + excluded.credits
  ; END;
-- sqlite only
CREATE TRIGGER job_counted_update AFTER UPDATE ON job
WHEN OLD.status <> NEW.status OR OLD.credits_used <> NEW.credits_used OR OLD.matched IS NOT NEW.matched
  OR OLD.fields_updated <> NEW.fields_updated OR OLD.outcomes <> NEW.outcomes
  OR OLD.filled_before <> NEW.filled_before OR OLD.filled_after <> NEW.filled_after
BEGIN
  INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
    is_merged)
  SELECT NEW.organization_id, c.measure, d.day, NEW.entity_type, c.trigger_kind, '', c.name, SUM(c.events),
    SUM(c.credits), TRUE
  FROM (
    SELECT 'job' AS measure, NEW.trigger_kind AS trigger_kind, NEW.status AS name, 1 AS events,
      NEW.credits_used AS credits
    UNION ALL SELECT 'job', OLD.trigger_kind, OLD.status, -1, -OLD.credits_used
    UNION ALL SELECT 'job_asked', NEW.trigger_kind, '', (NEW.matched IS NOT NULL) - (OLD.matched IS NOT NULL), 0
    UNION ALL SELECT 'job_matched', NEW.trigger_kind, '', COALESCE(NEW.matched, 0) - COALESCE(OLD.matched, 0), 0
    UNION ALL SELECT 'field_written', '', '',
      json_array_length(NEW.fields_updated) - json_array_length(OLD.fields_updated), 0
    UNION ALL SELECT 'field_outcome', '', json_extract(item.value, '$.reason'), 1, 0 FROM json_each(NEW.outcomes) AS item
      WHERE NEW.status NOT IN ('pending', 'in_progress')
    UNION ALL SELECT 'field_outcome', '', json_extract(item.value, '$.reason'), -1, 0 FROM json_each(OLD.outcomes) AS item
      WHERE OLD.status NOT IN ('pending', 'in_progress')
    UNION ALL SELECT 'filled_before', '', item.value, 1, 0 FROM json_each(NEW.filled_before) AS item
      WHERE NEW.status IN ('completed', 'partial', 'failed')
    UNION ALL SELECT 'filled_before', '', item.value, -1, 0 FROM json_each(OLD.filled_before) AS item
      WHERE OLD.status IN ('completed', 'partial', 'failed')
    UNION ALL SELECT 'filled_after', '', item.value, 1, 0 FROM json_each(NEW.filled_after) AS item
      WHERE NEW.status IN ('completed', 'partial', 'failed')
    UNION ALL SELECT 'filled_after', '', item.value, -1, 0 FROM json_each(OLD.filled_after) AS item
      WHERE OLD.status IN ('completed', 'partial', 'failed')
  ) AS c CROSS JOIN (SELECT NEW.created_at / 86400000000 AS day UNION ALL SELECT -1) AS d
  WHERE TRUE GROUP BY c.measure, d.day, c.trigger_kind, c.name HAVING SUM(c.events) <> 0 OR SUM(c.credits) <> 0
  ON CONFLICT (organization_id, measure, day, entity_type, trigger_kind, provider, name) WHERE is_merged
    DO UPDATE SET events = events + excluded.events, credits = credits + excluded.credits
  ; END;
-- sqlite only
CREATE TRIGGER job_counted_delete AFTER DELETE ON job WHEN OLD.status IN ('pending', 'in_progress') BEGIN
  UPDATE daily_count SET events = events - 1, credits = credits - OLD.credits_used
  WHERE organization_id = OLD.organization_id AND measure = 'job' AND day IN (OLD.created_at / 86400000000, -1)
    AND entity_type = OLD.entity_type AND trigger_kind = OLD.trigger_kind AND name = OLD.status
  ; END;

-- sqlite only
CREATE TRIGGER step_counted_insert AFTER INSERT ON step BEGIN
  INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
    is_merged)
  SELECT NEW.organization_id, c.measure, d.day, '', '', NEW.provider, c.name, 1, c.credits, TRUE
  FROM (
    SELECT 'lookup' AS measure, NEW.outcome AS name, NEW.credits_charged AS credits
    UNION ALL SELECT 'latency', CASE WHEN ms < 64 THEN ms WHEN ms < 128 THEN ms / 2 * 2 WHEN ms < 256 THEN ms / 4 * 4
      WHEN ms < 512 THEN ms / 8 * 8 WHEN ms < 1024 THEN ms / 16 * 16 WHEN ms < 2048 THEN ms / 32 * 32
      WHEN ms < 4096 THEN ms / 64 * 64 WHEN ms < 8192 THEN ms / 128 * 128 WHEN ms < 16384 THEN ms / 256 * 256
      WHEN ms < 32768 THEN ms / 512 * 512 WHEN ms < 65536 THEN ms / 1024 * 1024
      WHEN ms < 131072 THEN ms / 2048 * 2048 ELSE ms / 4096 * 4096 END, 0
      FROM (SELECT NEW.latency_ms AS ms) WHERE ms IS NOT NULL
  ) AS c CROSS JOIN (
    SELECT created_at / 86400000000 AS day FROM job WHERE id = NEW.job_id
    UNION ALL SELECT -1 FROM job WHERE id = NEW.job_id
  ) AS d WHERE TRUE
  ON CONFLICT (organization_id, measure, day, entity_type, trigger_kind, provider, name) WHERE is_merged
    DO UPDATE SET events = events + excluded.events, credits = credits + excluded.credits
  ; END;
-- sqlite only
CREATE TRIGGER step_counted_update AFTER UPDATE ON step
WHEN OLD.outcome <> NEW.outcome OR OLD.credits_charged <> NEW.credits_charged OR OLD.latency_ms IS NOT NEW.latency_ms
BEGIN
  INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
    is_merged)
  SELECT NEW.organization_id, c.measure, d.day, '', '', NEW.provider, c.name, SUM(c.events), SUM(c.credits), TRUE
  FROM (
    SELECT 'lookup' AS measure, NEW.outcome AS name, 1 AS events, NEW.credits_charged AS credits
    UNION ALL SELECT 'lookup', OLD.outcome, -1, -OLD.credits_charged
    UNION ALL SELECT 'latency', CASE WHEN ms < 64 THEN ms WHEN ms < 128 THEN ms / 2 * 2 WHEN ms < 256 THEN ms / 4 * 4
      WHEN ms < 512 THEN ms / 8 * 8 WHEN ms < 1024 THEN ms / 16 * 16 WHEN ms < 2048 THEN ms / 32 * 32
      WHEN ms < 4096 THEN ms / 64 * 64 WHEN ms < 8192 THEN ms / 128 * 128 WHEN ms < 16384 THEN ms / 256 * 256
      WHEN ms < 32768 THEN ms / 512 * 512 WHEN ms < 65536 THEN ms / 1024 * 1024
      WHEN ms < 131072 THEN ms / 2048 * 2048 ELSE ms / 4096 * 4096 END, events, 0
      FROM (SELECT NEW.latency_ms AS ms, 1 AS events UNION ALL SELECT OLD.latency_ms, -1) WHERE ms IS NOT NULL
  ) AS c CROSS JOIN (
    SELECT created_at / 86400000000 AS day FROM job WHERE id = NEW.job_id
    UNION ALL SELECT -1 FROM job WHERE id = NEW.job_id
  ) AS d
  WHERE TRUE GROUP BY c.measure, d.day, c.name HAVING SUM(c.events) <> 0 OR SUM(c.credits) <> 0
  ON CONFLICT (organization_id, measure, day, entity_type, trigger_kind, provider, name) WHERE is_merged
    DO UPDATE SET events = events + excluded.events, credits = credits + excluded.credits
  ; END;

-- sqlite only
CREATE TRIGGER credit_entry_counted AFTER INSERT ON credit_entry WHEN NEW.kind IN ('grant', 'charge', 'release') BEGIN
  INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
    is_merged)
  SELECT NEW.organization_id, c.measure, d.day, c.entity_type, c.trigger_kind, COALESCE(NEW.provider, ''), c.name, 1,
    c.credits, TRUE
  FROM (
    SELECT NEW.kind AS measure, COALESCE(NEW.entity_type, '') AS entity_type,
      COALESCE(NEW.trigger_kind, '') AS trigger_kind,
      CASE WHEN NEW.kind = 'release' THEN substr(COALESCE(NEW.note, ''), 1, 255) ELSE '' END AS name,
      CASE NEW.kind WHEN 'grant' THEN NEW.amount WHEN 'charge' THEN -NEW.amount ELSE -NEW.reserved_change END AS credits
    UNION ALL SELECT 'wasted', '', '', '', -NEW.amount WHERE NEW.kind = 'charge'
      AND NOT EXISTS (SELECT 1 FROM field_value AS f WHERE f.job_id = NEW.job_id AND f.source = NEW.provider)
  ) AS c CROSS JOIN (SELECT NEW.created_at / 86400000000 AS day UNION ALL SELECT -1) AS d WHERE TRUE
  ON CONFLICT (organization_id, measure, day, entity_type, trigger_kind, provider, name) WHERE is_merged
    DO UPDATE SET events = events + excluded.events, credits = credits + excluded.credits
  ; END;
-- sqlite only
CREATE TRIGGER field_value_counted AFTER INSERT ON field_value WHEN NEW.job_id IS NOT NULL BEGIN
  INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
    is_merged)
  SELECT e.organization_id, 'wasted', CASE WHEN d.of_all THEN -1 ELSE e.created_at / 86400000000 END, '', '', e.provider,
    '', -1, e.amount, TRUE
  FROM credit_entry AS e CROSS JOIN (SELECT TRUE AS of_all UNION ALL SELECT FALSE) AS d
  WHERE e.job_id = NEW.job_id AND e.provider = NEW.source AND e.kind = 'charge' AND NOT EXISTS
    (SELECT 1 FROM field_value AS f WHERE f.job_id = NEW.job_id AND f.source = NEW.source AND f.id <> NEW.id)
  ON CONFLICT (organization_id, measure, day, entity_type, trigger_kind, provider, name) WHERE is_merged
    DO UPDATE SET events = events + excluded.events, credits = credits + excluded.credits
  ; END;

-- sqlite only
CREATE TRIGGER conflict_counted_insert AFTER INSERT ON conflict WHEN NEW.status = 'open' BEGIN
  INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
    is_merged)
  VALUES (NEW.organization_id, 'conflict_open', -1, NEW.entity_type, '', '', '', 1, 0, TRUE)
  ON CONFLICT (organization_id, measure, day, entity_type, trigger_kind, provider, name) WHERE is_merged
    DO UPDATE SET events = events + 1
  ; END;
-- sqlite only
CREATE TRIGGER conflict_counted_update AFTER UPDATE ON conflict
WHEN OLD.status <> NEW.status OR OLD.resolved_at IS NOT NEW.resolved_at
BEGIN
  INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
    is_merged)
  SELECT NEW.organization_id, c.measure, c.day, NEW.entity_type, '', '', '', SUM(c.events), 0, TRUE
  FROM (
    SELECT 'conflict_open' AS measure, -1 AS day, (NEW.status = 'open') - (OLD.status = 'open') AS events
    UNION ALL SELECT 'conflict_resolved', -1, (NEW.resolved_at IS NOT NULL) - (OLD.resolved_at IS NOT NULL)
    UNION ALL SELECT 'conflict_resolved', NEW.resolved_at / 86400000000, 1 WHERE NEW.resolved_at IS NOT NULL
    UNION ALL SELECT 'conflict_resolved', OLD.resolved_at / 86400000000, -1 WHERE OLD.resolved_at IS NOT NULL
  ) AS c WHERE TRUE GROUP BY c.measure, c.day HAVING SUM(c.events) <> 0
  ON CONFLICT (organization_id, measure, day, entity_type, trigger_kind, provider, name) WHERE is_merged
    DO UPDATE SET events = events + excluded.events
  ; END;
-- sqlite only
CREATE TRIGGER conflict_counted_delete AFTER DELETE ON conflict WHEN OLD.status = 'open' BEGIN
  UPDATE daily_count SET events = events - 1 WHERE organization_id = OLD.organization_id
    AND measure = 'conflict_open' AND day = -1 AND entity_type = OLD.entity_type
  ; END;
-- sqlite only
CREATE TRIGGER record_counted_insert AFTER INSERT ON record BEGIN
  INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
    is_merged)
  VALUES (NEW.organization_id, 'record', -1, NEW.entity_type, '', '', '', 1, 0, TRUE)
  ON CONFLICT (organization_id, measure, day, entity_type, trigger_kind, provider, name) WHERE is_merged
    DO UPDATE SET events = events + 1
  ; END;
-- sqlite only
CREATE TRIGGER record_counted_delete AFTER DELETE ON record BEGIN
  UPDATE daily_count SET events = events - 1 WHERE organization_id = OLD.organization_id
    AND measure = 'record' AND day = -1 AND entity_type = OLD.entity_type
  ; END;

-- What was there before. PostgreSQL's rows are counted batch by batch, by the triggers, as they lose their mark; the
-- lines of the ledger, which nothing may change, keep it.

-- postgresql only
-- in batches of job
UPDATE job SET uncounted = NULL WHERE uncounted AND {batch};
-- postgresql only
-- in batches of step
UPDATE step SET uncounted = NULL WHERE uncounted AND {batch};
-- postgresql only
-- in batches of credit_entry
INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
SELECT organization_id, c.measure, d.day, c.entity_type, c.trigger_kind, COALESCE(credit_entry.provider, ''), c.name,
  COUNT(*), SUM(c.credits)
FROM credit_entry CROSS JOIN LATERAL (
  SELECT kind AS measure, COALESCE(credit_entry.entity_type, '') AS entity_type,
    COALESCE(credit_entry.trigger_kind, '') AS trigger_kind,
    CASE WHEN kind = 'release' THEN LEFT(COALESCE(note, ''), 255) ELSE '' END AS name,
    CASE kind WHEN 'grant' THEN amount WHEN 'charge' THEN -amount ELSE -reserved_change END AS credits
  UNION ALL SELECT 'wasted', '', '', '', -amount WHERE kind = 'charge' AND NOT EXISTS
    (SELECT 1 FROM field_value AS f WHERE f.job_id = credit_entry.job_id AND f.source = credit_entry.provider)
) AS c CROSS JOIN LATERAL (VALUES (created_at / 86400000000), (-1)) AS d(day)
WHERE uncounted AND kind IN ('grant', 'charge', 'release') AND {batch} GROUP BY 1, 2, 3, 4, 5, 6, 7;
-- postgresql only
CREATE TRIGGER conflict_counted_insert AFTER INSERT ON conflict REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_conflicts();
-- postgresql only
CREATE TRIGGER conflict_counted_update AFTER UPDATE ON conflict REFERENCING OLD TABLE AS gone NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_conflicts();
-- postgresql only
CREATE TRIGGER conflict_counted_delete AFTER DELETE ON conflict REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION count_conflicts();
-- postgresql only
CREATE TRIGGER record_counted_insert AFTER INSERT ON record REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_records();
-- postgresql only
CREATE TRIGGER record_counted_delete AFTER DELETE ON record REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION count_records();

-- sqlite only
INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
  is_merged)
SELECT c.organization_id, c.measure, CASE WHEN d.of_all THEN -1 ELSE c.created_at / 86400000000 END, c.entity_type,
  c.trigger_kind, '', c.name, SUM(c.events), SUM(c.credits), TRUE
FROM (
  SELECT organization_id, created_at, entity_type, 'job' AS measure, trigger_kind, status AS name, 1 AS events,
    credits_used AS credits FROM job
  UNION ALL SELECT organization_id, created_at, entity_type, 'job_asked', trigger_kind, '', 1, 0 FROM job
    WHERE matched IS NOT NULL
  UNION ALL SELECT organization_id, created_at, entity_type, 'job_matched', trigger_kind, '', 1, 0 FROM job
    WHERE matched
  UNION ALL SELECT organization_id, created_at, entity_type, 'field_written', '', '', json_array_length(fields_updated),
    0 FROM job WHERE json_array_length(fields_updated) > 0
  UNION ALL SELECT organization_id, created_at, entity_type, 'field_outcome', '', json_extract(item.value, '$.reason'),
    1, 0 FROM job, json_each(job.outcomes) AS item WHERE status NOT IN ('pending', 'in_progress')
  UNION ALL SELECT organization_id, created_at, entity_type, 'filled_before', '', item.value, 1, 0
    FROM job, json_each(job.filled_before) AS item WHERE status IN ('completed', 'partial', 'failed')
  UNION ALL SELECT organization_id, created_at, entity_type, 'filled_after', '', item.value, 1, 0
    FROM job, json_each(job.filled_after) AS item WHERE status IN ('completed', 'partial', 'failed')
) AS c CROSS JOIN (SELECT TRUE AS of_all UNION ALL SELECT FALSE) AS d GROUP BY 1, 2, 3, 4, 5, 7;
-- sqlite only
INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
  is_merged)
SELECT c.organization_id, c.measure, CASE WHEN d.of_all THEN -1 ELSE c.created_at / 86400000000 END, '', '', c.provider,
  c.name, COUNT(*), SUM(c.credits), TRUE
FROM (
  SELECT step.organization_id, job.created_at, step.provider, 'lookup' AS measure, step.outcome AS name,
    step.credits_charged AS credits FROM step JOIN job ON job.id = step.job_id
  UNION ALL SELECT organization_id, created_at, provider, 'latency',
    CASE WHEN ms < 64 THEN ms WHEN ms < 128 THEN ms / 2 * 2 WHEN ms < 256 THEN ms / 4 * 4
      WHEN ms < 512 THEN ms / 8 * 8 WHEN ms < 1024 THEN ms / 16 * 16 WHEN ms < 2048 THEN ms / 32 * 32
      WHEN ms < 4096 THEN ms / 64 * 64 WHEN ms < 8192 THEN ms / 128 * 128 WHEN ms < 16384 THEN ms / 256 * 256
      WHEN ms < 32768 THEN ms / 512 * 512 WHEN ms < 65536 THEN ms / 1024 * 1024
      WHEN ms < 131072 THEN ms / 2048 * 2048 ELSE ms / 4096 * 4096 END, 0
  FROM (SELECT step.organization_id, job.created_at, step.provider, step.latency_ms AS ms FROM step
    JOIN job ON job.id = step.job_id WHERE step.latency_ms IS NOT NULL)
) AS c CROSS JOIN (SELECT TRUE AS of_all UNION ALL SELECT FALSE) AS d GROUP BY 1, 2, 3, 6, 7;
-- sqlite only
INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
  is_merged)
SELECT c.organization_id, c.measure, CASE WHEN d.of_all THEN -1 ELSE c.created_at / 86400000000 END, c.entity_type,
  c.trigger_kind, c.provider, c.name, COUNT(*), SUM(c.credits), TRUE
FROM (
  SELECT organization_id, created_at, kind AS measure, COALESCE(entity_type, '') AS entity_type,
    COALESCE(trigger_kind, '') AS trigger_kind, COALESCE(provider, '') AS provider,
    CASE WHEN kind = 'release' THEN substr(COALESCE(note, ''), 1, 255) ELSE '' END AS name,
    CASE kind WHEN 'grant' THEN amount WHEN 'charge' THEN -amount ELSE -reserved_change END AS credits
  FROM credit_entry WHERE kind IN ('grant', 'charge', 'release')
  UNION ALL SELECT organization_id, created_at, 'wasted', '', '', provider, '', -amount FROM credit_entry AS e
    WHERE kind = 'charge'
      AND NOT EXISTS (SELECT 1 FROM field_value AS f WHERE f.job_id = e.job_id AND f.source = e.provider)
) AS c CROSS JOIN (SELECT TRUE AS of_all UNION ALL SELECT FALSE) AS d GROUP BY 1, 2, 3, 4, 5, 6, 7;
INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
  is_merged)
SELECT organization_id, 'conflict_open', -1, entity_type, '', '', '', COUNT(*), 0, TRUE FROM conflict
WHERE status = 'open' GROUP BY organization_id, entity_type;
INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
  is_merged)
SELECT organization_id, 'conflict_resolved', CASE WHEN d.of_all THEN -1 ELSE resolved_at / 86400000000 END, entity_type,
  '', '', '', COUNT(*), 0, TRUE
FROM conflict CROSS JOIN (SELECT TRUE AS of_all UNION ALL SELECT FALSE) AS d
WHERE resolved_at IS NOT NULL GROUP BY 1, 3, 4;
INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
  is_merged)
SELECT organization_id, 'record', -1, entity_type, '', '', '', COUNT(*), 0, TRUE FROM record
GROUP BY organization_id, entity_type;

-- The parts of days at the ends of a period are read from their jobs.
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS job_created;
-- outside a transaction
CREATE INDEX CONCURRENTLY job_created ON job (organization_id, created_at);
