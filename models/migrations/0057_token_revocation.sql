-- oldest code: 0.1.0
-- Tokens that are good no longer before they expire: one by its id, or all of a user that were issued before a moment.

CREATE TABLE token_revocation (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  token_id VARCHAR(255),
  user_id VARCHAR(255),
  issued_before BIGINT,
  revoked_at BIGINT NOT NULL,
  CHECK ((token_id IS NULL) <> (user_id IS NULL)),
  CHECK ((user_id IS NULL) = (issued_before IS NULL)),
  UNIQUE (organization_id, token_id),
  UNIQUE (organization_id, user_id)
);
