-- oldest code: 0.1.0
-- Of an answer: that it brings only a part of what was asked, and so serves the job alone that asked.

ALTER TABLE answer ADD COLUMN is_part BOOLEAN;
