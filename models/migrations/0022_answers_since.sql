-- oldest code: 0.1.0
-- How old the answers may be that serve a job: a forced job takes none that was given before it was asked for, a
-- scheduled refresh none that is older than the refresh's own age. NULL means what it meant before: any answer serves
-- that is kept. An answer's own column is the same moment of the job that has the question to itself.

ALTER TABLE job ADD COLUMN answers_since BIGINT;
ALTER TABLE answer ADD COLUMN answers_since BIGINT;
