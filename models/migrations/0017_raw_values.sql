-- oldest code: 0.1.0
-- What the CRM last sent is kept as it was sent, beside its canonical form: whether the CRM changed a value is decided by
-- it. What cannot be read is kept with the reason, in the record and in its history. NULL: a record, or a value, from
-- before; it takes the first raw value that means what was received before in silence.

ALTER TABLE record ADD COLUMN raw_values {json};
ALTER TABLE record ADD COLUMN unreadable {json};
ALTER TABLE field_value ADD COLUMN raw_value {json};
ALTER TABLE field_value ADD COLUMN unreadable TEXT;
