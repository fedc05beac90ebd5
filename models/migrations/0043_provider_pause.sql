-- oldest code: 0.1.0
-- Until when a provider asked for no calls, as it last said.

ALTER TABLE provider_state ADD COLUMN paused_until BIGINT;
