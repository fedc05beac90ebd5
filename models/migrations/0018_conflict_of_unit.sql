-- oldest code: 0.2.0
-- A conflict may be about a whole: an address or an employment (`unit`), whose parts it names in `part_names`, each
-- between spaces: " city country ". NULL is a conflict about a single field, as all were before.

ALTER TABLE conflict ADD COLUMN unit VARCHAR(16);
ALTER TABLE conflict ADD COLUMN part_names TEXT;
