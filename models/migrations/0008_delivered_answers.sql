-- Answers that a provider sends by itself to a question that is pending: what was sent, until the job has read it, and
-- a digest of it, by which the same is known when it is sent again.

ALTER TABLE answer ADD COLUMN delivered TEXT;
ALTER TABLE answer ADD COLUMN delivered_digest VARCHAR(64);
CREATE INDEX answer_delivered ON answer (asked_by) WHERE state = 'pending' AND delivered_digest IS NOT NULL;
