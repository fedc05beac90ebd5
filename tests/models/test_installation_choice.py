"""What an installation relies on is decided at its first start with a version that asks, and stays so."""

import asyncio
from datetime import UTC, datetime

import pytest

from models.installation_choice import relies_on
from models.organization import add_organization

NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.mark.usefixtures("db")
async def test_a_new_installation_relies_on_nothing_also_later() -> None:
    assert not await relies_on("thing", True, NOW)
    await add_organization("acme", {}, NOW)
    assert not await relies_on("thing", True, NOW)


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("switched_on", [True, False])
async def test_one_with_tenants_goes_on_as_it_was(switched_on: bool) -> None:
    await add_organization("acme", {}, NOW)
    first = await asyncio.gather(*(relies_on("thing", switched_on, NOW) for _ in range(3)))
    assert first == [switched_on] * 3
    assert await relies_on("thing", not switched_on, NOW) is switched_on
    assert await relies_on("another", True, NOW)
