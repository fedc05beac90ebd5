-- oldest code: 0.1.0
-- The calls that may be charged and have not ended: a row for each reservation of credits, from before the call goes out
-- until it is charged, released or known as maybe charged. `ends_by`: when the call is over, if nobody saw its end.
-- Reservations that 0.1.0 makes have none. An answer's `fence` is that of the job that has its question to itself.

CREATE TABLE call_intent (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  job_id {id} NOT NULL,
  fence BIGINT NOT NULL,
  record_id {id},
  provider VARCHAR(64) NOT NULL,
  entity_type VARCHAR(16) NOT NULL,
  trigger_kind VARCHAR(32) NOT NULL,
  credits BIGINT NOT NULL CHECK (credits > 0),
  input_key VARCHAR(64),
  reserved_at BIGINT NOT NULL,
  ends_by BIGINT NOT NULL
);
CREATE INDEX call_intent_of_question ON call_intent (organization_id, provider, input_key);
CREATE INDEX call_intent_ends_by ON call_intent (ends_by);

ALTER TABLE answer ADD COLUMN fence BIGINT;
