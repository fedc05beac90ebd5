-- oldest code: 0.1.0
-- What requests with an idempotency key were answered, for as long as the same request is answered so again.

-- `request`: the SHA-256 of method, address and body. No `status`: the first request is under way.
CREATE TABLE idempotent_answer (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  caller VARCHAR(255) NOT NULL,
  idempotency_key VARCHAR(255) NOT NULL,
  request VARCHAR(64) NOT NULL,
  status INTEGER,
  headers {json} NOT NULL,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  UNIQUE (organization_id, caller, idempotency_key)
);
CREATE INDEX idempotent_answer_expired ON idempotent_answer (expires_at);
