"""Whether a job may start for a record: one rule for requests, previews, workers and replays."""

from datetime import datetime, timedelta
from enum import StrEnum

from enrichment.config import Config
from enrichment.enums import EntityType


class NotStarted(StrEnum):
    """Why no job starts for a record."""

    DISABLED = "disabled"
    ENTITY_TYPE_OFF = "entity_type_off"
    SUPPRESSED = "suppressed"
    COOLDOWN = "cooldown"


def why_not_started(
    config: Config,
    entity_type: EntityType,
    *,
    forced: bool,
    last_enriched_at: datetime | None,
    at: datetime,
    suppressed: bool = False,
) -> NotStarted | None:
    """Why no job starts for a record `at` this moment; None when one may.

    `forced` lifts the cooldown. `suppressed`: the record holds an identifier that is on the suppression list.
    """
    if not config.enabled:
        return NotStarted.DISABLED
    if not config.entity_types.allows(entity_type):
        return NotStarted.ENTITY_TYPE_OFF
    if suppressed:
        return NotStarted.SUPPRESSED
    cools_down = last_enriched_at is not None and last_enriched_at + timedelta(hours=config.cooldown_hours) > at
    return NotStarted.COOLDOWN if cools_down and not forced else None
