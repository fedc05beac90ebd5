-- oldest code: 0.1.0
-- When a job asks again for an answer that comes later gets a column of its own; `lease_until` says from now on only
-- how long a job has a question in flight to itself. Version 0.1.0 finds no time there, and asks again at once.

ALTER TABLE answer ADD COLUMN due_at BIGINT;
-- in batches of answer
UPDATE answer SET due_at = lease_until, lease_until = NULL WHERE state = 'pending' AND {batch};
