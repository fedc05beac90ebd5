-- oldest code: 0.1.0
-- The steps of the attempt under way that have ended, as they are shown. NULL: none has been shown yet, or the attempt
-- has ended, and its steps are rows.

ALTER TABLE job ADD COLUMN steps_so_far {json};
