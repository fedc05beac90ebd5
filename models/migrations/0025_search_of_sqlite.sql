-- oldest code: 0.1.0
-- Search looks for a part of a text: on SQLite, too, an index of all its three-letter parts finds it. Triggers keep it in
-- the transaction that changes a record. It holds no texts, and knows records by a number of their own, as VACUUM may
-- give rows others. Where the library has no FTS5 with trigrams, searches read all records, as before.

-- sqlite with trigrams only
CREATE TABLE record_number (
  number INTEGER PRIMARY KEY,
  record_id VARCHAR(36) NOT NULL UNIQUE
);
-- sqlite with trigrams only
CREATE VIRTUAL TABLE record_search USING fts5(search_text, content='', detail=none, tokenize='trigram');
-- sqlite with trigrams only
INSERT INTO record_number (record_id) SELECT id FROM record ORDER BY id;
-- sqlite with trigrams only
INSERT INTO record_search (rowid, search_text)
  SELECT number, search_text FROM record_number JOIN record ON record.id = record_number.record_id;

-- sqlite with trigrams only
CREATE TRIGGER record_searched_insert AFTER INSERT ON record BEGIN
  INSERT INTO record_number (record_id) VALUES (NEW.id)
  ; INSERT INTO record_search (rowid, search_text)
    SELECT number, NEW.search_text FROM record_number WHERE record_id = NEW.id
  ; END;
-- sqlite with trigrams only
CREATE TRIGGER record_searched_update AFTER UPDATE OF search_text ON record WHEN NEW.search_text <> OLD.search_text BEGIN
  INSERT INTO record_search (record_search, rowid, search_text)
    SELECT 'delete', number, OLD.search_text FROM record_number WHERE record_id = OLD.id
  ; INSERT INTO record_search (rowid, search_text)
    SELECT number, NEW.search_text FROM record_number WHERE record_id = NEW.id
  ; END;
-- sqlite with trigrams only
CREATE TRIGGER record_searched_delete AFTER DELETE ON record BEGIN
  INSERT INTO record_search (record_search, rowid, search_text)
    SELECT 'delete', number, OLD.search_text FROM record_number WHERE record_id = OLD.id
  ; DELETE FROM record_number WHERE record_id = OLD.id
  ; END;
