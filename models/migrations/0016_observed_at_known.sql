-- oldest code: 0.1.0
-- Whether `observed_at` says when the source saw the value. FALSE: nobody knows, and it holds the arrival.
-- NULL, as all rows of before have it: known, unless the CRM sent the value and no source has confirmed it since.
-- Older code writes NULL, and reads an arrival as an observation.

ALTER TABLE field_value ADD COLUMN observed_at_known BOOLEAN;
