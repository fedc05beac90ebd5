-- oldest code: 0.1.0
-- How many workers were lost in a row while they had this job. NULL means none: each attempt that ends by itself
-- begins the count anew.

ALTER TABLE job ADD COLUMN times_lost INTEGER;
