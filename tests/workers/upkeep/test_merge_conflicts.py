"""After an upgrade, what was asked part by part is one question, with the id of the newest."""

from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import ConflictReason, ConflictStatus, EntityType, FieldUnit
from models.conflict.queue import NewConflict, raise_conflicts
from models.conflict.table import Conflict
from models.db.columns import new_id
from models.db.transaction import unit_of_work
from models.job import Job
from models.record import Record
from resolvers.conflict.api import resolve_conflict
from resolvers.conflict.choice import ACCEPT, KEEP, Resolution
from resolvers.conflict.stored import disputed_parts, questions_of
from resolvers.context import Services
from resolvers.job.enrich import RecordSelection, enrich_records
from tests.support.factories import StandIn, context, send, services, work
from workers.upkeep import merge_conflicts as upkeep

pytestmark = pytest.mark.usefixtures("db")

ACCOUNT, LEAD = EntityType.ACCOUNT, EntityType.LEAD


async def asked(
    shared: Services, external_id: str, field: str, current: Any, *proposed: tuple[str, Any],
    recommended: str | None = None, reason: ConflictReason = ConflictReason.EXISTING_DIFFERS,
) -> str:  # fmt: skip
    """An open conflict about a single part, as version 0.1.0 raised it. `proposed` are (source, value)."""
    record = await Record.get(external_id=external_id)
    job = await Job.filter(record_id=record.id).first()
    assert job is not None
    now = shared.now()
    seen = (now - timedelta(days=3)).isoformat().replace("+00:00", "Z")
    candidates = [
        {"id": new_id(), "value": value, "provider": source, "observedAt": seen}
        | {"confidence": 0.9, "statedConfidence": 0.8}
        for source, value in proposed
    ]  # fmt: skip
    held = {"value": current, "source": "crm", "confidence": 1.0, "observedAt": seen}
    conflict = NewConflict(
        id=new_id(), organization_id="acme", record_id=record.id, job_id=job.id, entity_type=record.entity_type,
        field=field, unit=None, part_names=None, reason=reason, current=None if current is None else held,
        candidates=candidates, providers=f" {' '.join(source for source, _ in proposed)} ",
        recommended_id=next((item["id"] for item in candidates if item["provider"] == recommended), None),
        recommended_because=f"about the {field}", recommendation=None, created_at=now, updated_at=now,
    )  # fmt: skip
    await unit_of_work(raise_conflicts)([conflict])
    return conflict.id


async def account(shared: Services, external_id: str = "A1", **fields: Any) -> None:
    await send(context(shared), "account", external_id, domain="spotify.com", **fields)
    await work(shared)


async def merge(shared: Services) -> int:
    return await upkeep.merge_conflicts({"services": shared})


def parts(conflict: Conflict) -> dict[str, tuple[Any, dict[str, Any]]]:
    return {
        question.field: (question.value, {found["provider"]: found["value"] for found in question.candidates})
        for question in questions_of(conflict)
    }


async def test_the_open_questions_about_an_address_become_the_newest_of_them(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    await account(shared, city="Stockholm", country="Sweden", street="Vasagatan 1")
    street = await asked(shared, "A1", "street", "Vasagatan 1", ("north", "Kungsgatan 1"))
    city = await asked(
        shared, "A1", "city", "Stockholm", ("north", "Luxembourg"), ("south", "Lund"), recommended="north"
    )
    country = await asked(shared, "A1", "country", "Sweden", ("north", "Luxembourg"), recommended="north")
    industry = await asked(shared, "A1", "industry", "Software", ("north", "Banking"))

    assert await merge(shared) == 3

    states = {conflict.id: conflict.status for conflict in await Conflict.all()}
    assert (states[street], states[city], states[country], states[industry]) == (
        ConflictStatus.SUPERSEDED, ConflictStatus.SUPERSEDED, ConflictStatus.OPEN, ConflictStatus.OPEN,
    )  # fmt: skip
    merged = await Conflict.get(id=country).prefetch_related("record")
    assert (merged.field, merged.unit, merged.providers) == ("address", FieldUnit.ADDRESS, " north south ")
    assert parts(merged) == {
        "street": ("Vasagatan 1", {"north": "Kungsgatan 1"}),
        "city": ("Stockholm", {"north": "Luxembourg", "south": "Lund"}),
        "country": ("Sweden", {"north": "Luxembourg"}),
    }
    assert disputed_parts(merged) == {"city", "country"}
    assert merged.recommended_id is None  # of the street the record's own was recommended
    assert await merge(shared) == 0
    north = next(answer for answer in merged.candidates if answer["provider"] == "north")
    await resolve_conflict(context(shared), country, Resolution(ACCEPT, north["id"]))
    record = await Record.get(external_id="A1")
    assert (record.fields["city"], record.fields["country"], record.fields["street"]) == (
        "Luxembourg", "Luxembourg", "Kungsgatan 1",
    )  # fmt: skip


async def test_one_part_alone_becomes_its_address_and_a_street_stays_by_itself(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    await account(shared, city="Stockholm")
    await account(shared, "A2", street="Vasagatan 1")
    city = await asked(shared, "A1", "city", "Stockholm", ("north", "Luxembourg"), recommended="north")
    street = await asked(shared, "A2", "street", "Vasagatan 1", ("north", "Kungsgatan 1"))
    assert await merge(shared) == 1
    units = {conflict.id: conflict.unit for conflict in await Conflict.filter(status=ConflictStatus.OPEN)}
    assert units == {city: FieldUnit.ADDRESS, street: None}
    merged = await Conflict.get(id=city)
    assert merged.recommended_id == merged.candidates[0]["id"]


async def test_company_and_domain_become_one_change_of_employer(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    await send(context(shared), "lead", "L1", lastName="Doe", company="Acme", companyDomain="acme.com")
    await work(shared)
    await asked(shared, "L1", "company", "Acme", ("north", "Globex"))
    domain = await asked(shared, "L1", "companyDomain", "acme.com", ("north", "globex.com"))
    await merge(shared)
    merged = await Conflict.get(status=ConflictStatus.OPEN)
    assert (merged.id, merged.unit, merged.reason) == (domain, FieldUnit.EMPLOYMENT, ConflictReason.JOB_CHANGE)


async def test_company_and_domain_of_different_sources_are_no_change_of_employer(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    await send(context(shared), "lead", "L1", lastName="Doe", company="Acme", companyDomain="acme.com")
    await work(shared)
    await asked(shared, "L1", "company", "Acme", ("north", "Globex"))
    await asked(shared, "L1", "companyDomain", "acme.com", ("south", "acme.io"))
    await merge(shared)
    merged = await Conflict.get(status=ConflictStatus.OPEN)
    assert (merged.unit, merged.reason) == (FieldUnit.EMPLOYMENT, ConflictReason.EXISTING_DIFFERS)


async def test_a_job_that_disputes_the_address_first_takes_up_what_was_asked_before(redis: ArqRedis) -> None:
    standin = StandIn()
    shared = services(redis, standin)
    await account(shared, city="Stockholm", country="Sweden")
    await asked(shared, "A1", "city", "Stockholm", ("standin", "Luxembourg"))
    country = await asked(shared, "A1", "country", "Sweden", ("standin", "Luxembourg"))
    standin.knows = {"spotify.com": {"city": "Luxembourg", "country": "Luxembourg", "postalCode": "1610"}}
    await enrich_records(context(shared), RecordSelection(ACCOUNT), force=True)
    await work(shared)
    again = await Conflict.get(status=ConflictStatus.OPEN)
    assert (again.id, again.unit) == (country, FieldUnit.ADDRESS)
    assert set(parts(again)) == {"city", "postalCode", "country"}
    await resolve_conflict(context(shared), country, Resolution(KEEP))
    assert await merge(shared) == 0


async def test_many_records_are_merged_some_at_a_time(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "RECORDS_AT_ONCE", 2)
    shared = services(redis, StandIn())
    for number in range(5):
        await account(shared, f"A{number}", city="Stockholm")
        await asked(shared, f"A{number}", "city", "Stockholm", ("north", "Luxembourg"))
    assert await merge(shared) == 5
    assert await Conflict.filter(unit=FieldUnit.ADDRESS).count() == 5
