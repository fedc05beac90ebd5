"""The caller's organization, made with the default configuration on first use."""

from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from enrichment.config import Config, default_config
from models.organization import OrganizationRow, add_organization, find_organization
from providers.registry import Registry


async def organization_of(organization_id: str, registry: Registry, now: datetime) -> OrganizationRow:
    """The organization's row."""
    found = await find_organization(organization_id)
    if found is None:
        await add_organization(organization_id, default_config(registry.ids(), registry.off).as_json(), now)
        found = await find_organization(organization_id)
    assert found is not None  # added above, or by another request at the same time
    return found


def config_of(organization: OrganizationRow) -> Config:
    """The stored configuration. It was checked when it was written."""
    return read_config(organization.config)


def read_config(stored: dict[str, Any]) -> Config:
    """A configuration in the JSON that is stored. It is the same object for as long as it is remembered."""
    return _read(orjson.dumps(stored))


@lru_cache(maxsize=1024)
def _read(stored: bytes) -> Config:
    """Checking a configuration costs more than most of what is done by it, and it seldom changes.

    A newer version may have written keys that this one does not know: a worker of before goes on beside it.
    """
    return Config.model_validate(orjson.loads(stored), extra="ignore")
