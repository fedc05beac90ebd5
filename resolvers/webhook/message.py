"""What is sent of an event: the same object as `GET /events` shows, and an id that is the same each time."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from models.db.columns import new_id, to_micros
from models.event.single import SingleEvent
from models.webhook.delivery import NewDelivery

_PREFIX = "evt_"


def message_id(organization_id: str, event: SingleEvent) -> str:
    """The same for the same event, for every endpoint, retry, redelivery and replay."""
    named = f"{organization_id}\n{event.cursor}\n{event.kind}\n{to_micros(event.at)}"
    return _PREFIX + sha256(named.encode()).hexdigest()[:32]


def delivery_of(
    organization_id: str, endpoint_id: str, event: SingleEvent, now: datetime, *, message: str | None = None
) -> NewDelivery:
    """The delivery of an event; of what is in no log with an id of its own (`message`).

    Deliveries about one record are sent in order; those about none are in order with those of their noun.
    """
    return NewDelivery(
        id=new_id(),
        organization_id=organization_id,
        endpoint_id=endpoint_id,
        message_id=message or message_id(organization_id, event),
        kind=event.kind,
        at=event.at,
        position=event.cursor.position,
        number=event.cursor.number,
        part=event.cursor.part,
        record_id=event.record_id,
        subject=event.record_id or event.kind.partition(".")[0],
        data=shown(event),
        due_at=now,
        created_at=now,
    )


def shown(event: SingleEvent, external_id: str | None = None) -> Mapping[str, Any]:
    """The event as JSON has it. `external_id`: of its record, where that is still there."""
    return {
        "cursor": str(event.cursor),
        "kind": event.kind.value,
        "at": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "entityType": event.entity_type and event.entity_type.value,
        "recordId": event.record_id,
        "externalId": external_id,
        "jobId": event.job_id,
        "conflictId": event.conflict_id,
        "fields": list(event.fields),
        "jobStatus": event.job_status and event.job_status.value,
        "steps": [{"provider": step.provider, "outcome": step.outcome} for step in event.steps],
        "conflictsRaised": event.conflicts_raised,
        "provider": event.provider,
        "providerState": event.provider_state,
        "configVersion": event.config_version,
        "credits": event.credits,
        "creditsMost": event.credits_most,
        "creditsShare": event.credits_share,
        "certificateId": event.certificate_id,
        "endpointId": event.endpoint_id,
    }
