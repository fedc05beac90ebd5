-- same result as: 4acdde1117be81c86fcc2ca9374736cad3de813f66f056da682e1b20f8c51981
-- What was ever asked about a field of a record: for explanations, and for erasing.
-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS conflict_of_record;
-- outside a transaction
CREATE INDEX CONCURRENTLY conflict_of_record ON conflict (record_id, field);
