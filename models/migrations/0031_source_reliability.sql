-- oldest code: 0.1.0
-- What the records of an organization show of its sources, and of its CRM, by how their values agree: figures, and no
-- value of any record. `sources` has them by source; `records` is of how many records they were estimated.

CREATE TABLE source_reliability (
  organization_id VARCHAR(128) PRIMARY KEY REFERENCES organization (id),
  sources {json} NOT NULL,
  records BIGINT NOT NULL CHECK (records >= 0),
  estimated_at BIGINT NOT NULL
);
