-- oldest code: 0.1.0
-- What a provider says that a call consumed, in thousandths of a credit, on the line that settles the call: the daily
-- counts have its sum (`stated`), and the credits charged for the same calls (`stated_charged`). A person who told a
-- provider not to be processed is an answer of its own; code that does not know it reads it as a "no match".

ALTER TABLE credit_entry ADD COLUMN stated_thousandths BIGINT;
ALTER TABLE answer ADD COLUMN opted_out BOOLEAN;

-- postgresql only
CREATE FUNCTION count_stated() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits)
  SELECT e.organization_id, c.measure, d.day, '', '', COALESCE(e.provider, ''), '', COUNT(*), SUM(c.credits)
  FROM added AS e CROSS JOIN LATERAL (VALUES ('stated', e.stated_thousandths), ('stated_charged', -e.amount))
    AS c(measure, credits)
  CROSS JOIN LATERAL (VALUES (e.created_at / 86400000000), (-1)) AS d(day)
  WHERE e.stated_thousandths IS NOT NULL GROUP BY 1, 2, 3, 6
  ; RETURN NULL
  ; END $$;
-- postgresql only
CREATE TRIGGER credit_entry_stated AFTER INSERT ON credit_entry REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_stated();

-- sqlite only
CREATE TRIGGER credit_entry_stated AFTER INSERT ON credit_entry WHEN NEW.stated_thousandths IS NOT NULL BEGIN
  INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events, credits,
    is_merged)
  SELECT NEW.organization_id, c.measure, d.day, '', '', COALESCE(NEW.provider, ''), '', 1, c.credits, TRUE
  FROM (SELECT 'stated' AS measure, NEW.stated_thousandths AS credits UNION ALL SELECT 'stated_charged', -NEW.amount)
    AS c CROSS JOIN (SELECT NEW.created_at / 86400000000 AS day UNION ALL SELECT -1) AS d WHERE TRUE
  ON CONFLICT (organization_id, measure, day, entity_type, trigger_kind, provider, name) WHERE is_merged
    DO UPDATE SET events = events + excluded.events, credits = credits + excluded.credits
  ; END;
