-- oldest code: 0.1.0
-- The counts of changed jobs on PostgreSQL (see migrations 0023 and 0033) as before, for half of the work. Each kind of
-- count is one aggregate over plain columns; before, a function was called for each job with its whole row, before
-- which PostgreSQL put a cache by that row (Memoize) that cost three times as much as the function and never hit.

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
    WITH changed AS MATERIALIZED (
      SELECT v.*, v.status NOT IN ('pending', 'in_progress') AS ended,
        v.status IN ('completed', 'partial', 'failed') AS tried
      FROM added AS n JOIN gone AS o ON o.id = n.id CROSS JOIN LATERAL (VALUES
        (1, n.organization_id, n.created_at / 86400000000, n.entity_type, n.trigger_kind, n.status, n.credits_used,
          n.matched, n.fields_updated, n.outcomes, n.filled_before, n.filled_after, n.uncounted),
        (-1, o.organization_id, o.created_at / 86400000000, o.entity_type, o.trigger_kind, o.status, o.credits_used,
          o.matched, o.fields_updated, o.outcomes, o.filled_before, o.filled_after, o.uncounted)
      ) AS v(sign, organization_id, day, entity_type, trigger_kind, status, credits_used,
        matched, fields_updated, outcomes, filled_before, filled_after, uncounted)
      WHERE v.uncounted IS NOT TRUE
        AND (n.status, n.credits_used, n.matched, n.uncounted, n.fields_updated, n.outcomes, n.filled_before,
          n.filled_after, n.organization_id, n.entity_type, n.trigger_kind, n.created_at)
        IS DISTINCT FROM (o.status, o.credits_used, o.matched, o.uncounted, o.fields_updated, o.outcomes,
          o.filled_before, o.filled_after, o.organization_id, o.entity_type, o.trigger_kind, o.created_at)
    ), counted AS (
      SELECT organization_id, 'job' AS measure, day, entity_type, trigger_kind, status AS name, SUM(sign) AS events,
        SUM(sign * credits_used) AS credits FROM changed GROUP BY 1, 3, 4, 5, 6
      UNION ALL SELECT organization_id, 'job_asked', day, entity_type, trigger_kind, '', SUM(sign), 0
        FROM changed WHERE matched IS NOT NULL GROUP BY 1, 3, 4, 5
      UNION ALL SELECT organization_id, 'job_matched', day, entity_type, trigger_kind, '', SUM(sign), 0
        FROM changed WHERE matched GROUP BY 1, 3, 4, 5
      UNION ALL SELECT organization_id, 'field_written', day, entity_type, '', '',
        SUM(sign * jsonb_array_length(fields_updated)), 0 FROM changed GROUP BY 1, 3, 4
      UNION ALL SELECT organization_id, 'field_outcome', day, entity_type, '', name, SUM(sign), 0 FROM (
        SELECT sign, organization_id, day, entity_type, jsonb_array_elements(outcomes) ->> 'reason' AS name
        FROM changed WHERE ended) AS outcome GROUP BY 1, 3, 4, 6
      UNION ALL SELECT organization_id, 'filled_before', day, entity_type, '', name, SUM(sign), 0 FROM (
        SELECT sign, organization_id, day, entity_type, jsonb_array_elements_text(filled_before) AS name
        FROM changed WHERE tried) AS filled GROUP BY 1, 3, 4, 6
      UNION ALL SELECT organization_id, 'filled_after', day, entity_type, '', name, SUM(sign), 0 FROM (
        SELECT sign, organization_id, day, entity_type, jsonb_array_elements_text(filled_after) AS name
        FROM changed WHERE tried) AS filled GROUP BY 1, 3, 4, 6
    )
    SELECT g.organization_id, g.measure, d.day, g.entity_type, g.trigger_kind, '', g.name, g.events, g.credits
    FROM counted AS g CROSS JOIN LATERAL (VALUES (g.day), (-1)) AS d(day) WHERE g.events <> 0 OR g.credits <> 0
    ; ELSE
    INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
    SELECT o.organization_id, 'job', d.day, o.entity_type, o.trigger_kind, '', o.status, -COUNT(*), -SUM(o.credits_used)
    FROM gone AS o CROSS JOIN LATERAL (VALUES (o.created_at / 86400000000), (-1)) AS d(day)
    WHERE o.status IN ('pending', 'in_progress') AND o.uncounted IS NOT TRUE
    GROUP BY 1, 3, 4, 5, 7
    ; END IF
  ; RETURN NULL
  ; END $$;
