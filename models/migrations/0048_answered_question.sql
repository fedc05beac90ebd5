-- oldest code: 0.1.0
-- Which of a provider's two questions, about the record and about its company, was answered where the other one failed.

ALTER TABLE step ADD COLUMN answered_question VARCHAR(16);
