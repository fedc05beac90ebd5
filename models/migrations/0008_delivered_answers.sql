-- same result as: 9df598d28e190c3640132a370bd855c1d06a8d531d66f331a3f3dae2dce03ce7
-- Answers that a provider sends by itself to a question that is pending: what was sent, until the job has read it, and
-- a digest of it, by which the same is known when it is sent again.

ALTER TABLE answer ADD COLUMN delivered TEXT;
ALTER TABLE answer ADD COLUMN delivered_digest VARCHAR(64);
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS answer_delivered;
-- outside a transaction
CREATE INDEX CONCURRENTLY answer_delivered ON answer (asked_by) WHERE state = 'pending' AND delivered_digest IS NOT NULL;
