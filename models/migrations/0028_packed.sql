-- oldest code: 0.1.0
-- What is kept of a decision is packed (`enrichment.packed_json`): the decision snapshot, and the candidates of the steps
-- of jobs that have ended completed, which no attempt reads again. NULL: as earlier versions store them, as JSON. While
-- they run beside this one they leave such snapshots out of a simulation, and show no candidates of such steps.

ALTER TABLE decision_snapshot ADD COLUMN packed {bytes};
ALTER TABLE step ADD COLUMN packed_candidates {bytes};
-- Not to be compressed again.
-- postgresql only
ALTER TABLE decision_snapshot ALTER COLUMN packed SET STORAGE EXTERNAL;
-- postgresql only
ALTER TABLE step ALTER COLUMN packed_candidates SET STORAGE EXTERNAL;
