-- oldest code: 0.1.0
-- The counts of PostgreSQL (see migration 0023) as before, for a third of the work. `latency_bucket` is no longer
-- STRICT, with which PostgreSQL could not make it part of a statement and called it for every row: of NULL it is NULL
-- all the same. A changed job is counted only where something that is counted changed, which a renewed lease does not
-- do; and the counts of a day are added up once, for the day and for all days.

-- postgresql only
CREATE OR REPLACE FUNCTION latency_bucket(ms INTEGER) RETURNS INTEGER LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN ms < 64 THEN ms WHEN ms < 128 THEN ms / 2 * 2 WHEN ms < 256 THEN ms / 4 * 4
    WHEN ms < 512 THEN ms / 8 * 8 WHEN ms < 1024 THEN ms / 16 * 16 WHEN ms < 2048 THEN ms / 32 * 32
    WHEN ms < 4096 THEN ms / 64 * 64 WHEN ms < 8192 THEN ms / 128 * 128 WHEN ms < 16384 THEN ms / 256 * 256
    WHEN ms < 32768 THEN ms / 512 * 512 WHEN ms < 65536 THEN ms / 1024 * 1024
    WHEN ms < 131072 THEN ms / 2048 * 2048 ELSE ms / 4096 * 4096 END $$;

-- postgresql only
CREATE OR REPLACE FUNCTION count_jobs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
    SELECT g.organization_id, g.measure, d.day, g.entity_type, g.trigger_kind, '', g.name, g.events, g.credits FROM (
      SELECT j.organization_id, c.measure, j.created_at / 86400000000 AS day, j.entity_type, c.trigger_kind, c.name,
        SUM(c.events) AS events, SUM(c.credits) AS credits
      FROM added AS j CROSS JOIN LATERAL counts_of_job(ROW(j.*)::job) AS c GROUP BY 1, 2, 3, 4, 5, 6
    ) AS g CROSS JOIN LATERAL (VALUES (g.day), (-1)) AS d(day)
    ; ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
    SELECT g.organization_id, g.measure, d.day, g.entity_type, g.trigger_kind, '', g.name, g.events, g.credits FROM (
      SELECT j.organization_id, c.measure, j.created_at / 86400000000 AS day, j.entity_type, c.trigger_kind, c.name,
        SUM(j.sign * c.events) AS events, SUM(j.sign * c.credits) AS credits
      FROM (
        SELECT v.sign, v.organization_id, v.entity_type, v.created_at, v.row
        FROM added AS n JOIN gone AS o ON o.id = n.id
        CROSS JOIN LATERAL (VALUES
          (1, n.organization_id, n.entity_type, n.created_at, ROW(n.*)::job, n.uncounted),
          (-1, o.organization_id, o.entity_type, o.created_at, ROW(o.*)::job, o.uncounted)
        ) AS v(sign, organization_id, entity_type, created_at, row, uncounted)
        WHERE v.uncounted IS NOT TRUE
          AND (n.status, n.credits_used, n.matched, n.uncounted, n.fields_updated, n.outcomes, n.filled_before,
            n.filled_after, n.organization_id, n.entity_type, n.trigger_kind, n.created_at)
          IS DISTINCT FROM (o.status, o.credits_used, o.matched, o.uncounted, o.fields_updated, o.outcomes,
            o.filled_before, o.filled_after, o.organization_id, o.entity_type, o.trigger_kind, o.created_at)
      ) AS j CROSS JOIN LATERAL counts_of_job(j.row) AS c
      GROUP BY 1, 2, 3, 4, 5, 6 HAVING SUM(j.sign * c.events) <> 0 OR SUM(j.sign * c.credits) <> 0
    ) AS g CROSS JOIN LATERAL (VALUES (g.day), (-1)) AS d(day)
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
CREATE OR REPLACE FUNCTION count_steps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
    SELECT g.organization_id, g.measure, d.day, '', '', g.provider, g.name, g.events, g.credits FROM (
      SELECT s.organization_id, c.measure, job.created_at / 86400000000 AS day, s.provider, c.name, COUNT(*) AS events,
        SUM(c.credits) AS credits
      FROM added AS s JOIN job ON job.id = s.job_id
      CROSS JOIN LATERAL (VALUES ('lookup', s.outcome::TEXT, s.credits_charged),
        ('latency', latency_bucket(s.latency_ms)::TEXT, 0)) AS c(measure, name, credits)
      WHERE c.name IS NOT NULL GROUP BY 1, 2, 3, 4, 5
    ) AS g CROSS JOIN LATERAL (VALUES (g.day), (-1)) AS d(day)
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
