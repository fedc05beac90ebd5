-- oldest code: 0.1.0
-- What an installation was found to rely on when it first started with a version that no longer does it by default.

CREATE TABLE installation_choice (
  name VARCHAR(64) PRIMARY KEY,
  chosen BOOLEAN NOT NULL,
  chosen_at BIGINT NOT NULL
);
