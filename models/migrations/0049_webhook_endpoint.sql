-- oldest code: 0.1.0
-- Where an organization is told what changed, by HTTP: which events, how far its log was read, and who serves it now.

-- The cursor is that of `models.event.cursor`: up to it every event has become a delivery. `lease_until` and `fence`: the
-- worker that serves it. `next_due_at`: when a waiting delivery is due. `quiet_until`: nothing is sent before.
CREATE TABLE webhook_endpoint (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  url TEXT NOT NULL,
  description TEXT,
  kinds {json} NOT NULL,
  entity_types {json} NOT NULL,
  status VARCHAR(16) NOT NULL,
  paused_because VARCHAR(16),
  paused_at BIGINT,
  secret TEXT NOT NULL,
  secret_set_at BIGINT NOT NULL,
  previous_secret TEXT,
  previous_until BIGINT,
  cursor_position BIGINT NOT NULL,
  cursor_number BIGINT NOT NULL,
  cursor_part BIGINT NOT NULL,
  missed_at BIGINT,
  failing_since BIGINT,
  failures INTEGER NOT NULL,
  last_delivered_at BIGINT,
  lease_until BIGINT,
  fence INTEGER NOT NULL,
  served_at BIGINT NOT NULL,
  next_due_at BIGINT,
  quiet_until BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by VARCHAR(255)
);
CREATE INDEX webhook_endpoint_of_organization ON webhook_endpoint (organization_id, id);
CREATE INDEX webhook_endpoint_active ON webhook_endpoint (served_at) WHERE status = 'active';
