-- What was ever asked about a field of a record: for explanations, and for erasing.
CREATE INDEX conflict_of_record ON conflict (record_id, field);
