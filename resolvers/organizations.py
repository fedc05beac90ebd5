"""The caller's organization, made with the default configuration on first use."""

from datetime import datetime
from typing import Any

from enrichment.config import Config, default_config
from models.db.columns import new_id, to_micros
from models.db.statements import dump, execute, query
from models.organization import Organization
from providers.registry import Registry


async def organization_of(organization_id: str, registry: Registry, now: datetime) -> Organization:
    """The organization's row."""
    found = await Organization.get_or_none(id=organization_id)
    if found is None:
        await _create(organization_id, registry, now)
        found = await Organization.get(id=organization_id)
    return found


def config_of(organization: Organization) -> Config:
    """The stored configuration. It was checked when it was written."""
    return read_config(organization.config)


def read_config(stored: dict[str, Any]) -> Config:
    return Config.model_validate(stored)


async def _create(organization_id: str, registry: Registry, now: datetime) -> None:
    config = dump(default_config(registry.ids(), registry.off).as_json())
    moment = to_micros(now)
    # Two first requests may arrive at once: one inserts, both go on.
    await execute(
        "INSERT INTO organization (id, created_at, config, config_updated_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        [organization_id, moment, config, moment],
    )
    added = await query("SELECT 1 AS one FROM config_change WHERE organization_id = ?", [organization_id])
    if not added:
        await execute(
            "INSERT INTO config_change (id, organization_id, version, config, changed_at) VALUES (?, ?, 1, ?, ?)"
            " ON CONFLICT DO NOTHING",
            [new_id(), organization_id, config, moment],
        )
