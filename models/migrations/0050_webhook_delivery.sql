-- oldest code: 0.1.0
-- Events on their way to an endpoint, and how they got there: ids, names of fields and counts, never a value.

-- `subject`: deliveries of one subject are sent in order. `message_id` is the same for an event however often it is sent.
CREATE TABLE webhook_delivery (
  id {id} PRIMARY KEY,
  organization_id VARCHAR(128) NOT NULL REFERENCES organization (id),
  endpoint_id {id} NOT NULL REFERENCES webhook_endpoint (id) ON DELETE CASCADE,
  message_id VARCHAR(36) NOT NULL,
  kind VARCHAR(24) NOT NULL,
  at BIGINT NOT NULL,
  position BIGINT NOT NULL,
  number BIGINT NOT NULL,
  part BIGINT NOT NULL,
  record_id VARCHAR(36),
  subject VARCHAR(36) NOT NULL,
  data {json} NOT NULL,
  status VARCHAR(16) NOT NULL,
  tries INTEGER NOT NULL,
  attempts {json} NOT NULL,
  due_at BIGINT,
  give_up_at BIGINT,
  created_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX webhook_delivery_of_organization ON webhook_delivery (organization_id, id);
CREATE INDEX webhook_delivery_of_endpoint ON webhook_delivery (endpoint_id, id);
CREATE INDEX webhook_delivery_by_status ON webhook_delivery (endpoint_id, status, id);
CREATE INDEX webhook_delivery_in_order ON webhook_delivery (endpoint_id, subject, id) WHERE status = 'pending';
CREATE INDEX webhook_delivery_of_record ON webhook_delivery (record_id) WHERE record_id IS NOT NULL;
