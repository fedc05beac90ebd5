-- oldest code: 0.1.0
-- A keyed seal for each line of the audit log, and for its head, where a key is set. NULL: not sealed. A version that
-- does not know of seals leaves both alone: its lines show as not sealed.

ALTER TABLE audit_entry ADD COLUMN seal VARCHAR(64);
ALTER TABLE audit_entry ADD COLUMN seal_key_id VARCHAR(32);
ALTER TABLE audit_head ADD COLUMN seal VARCHAR(64);
ALTER TABLE audit_head ADD COLUMN seal_key_id VARCHAR(32);
