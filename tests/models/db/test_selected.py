"""Rows of what is asked for: the wanted columns and no others, with what belongs to each row, as they are stored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from enrichment.enums import EntityType, JobStatus
from models.conflict.queries import ConflictFilter, select_conflicts
from models.conflict.shown import conflict_page
from models.db.columns import to_micros
from models.db.paging import Keyset
from models.db.statements import dump, execute
from models.db.wanted import EVERYTHING, also, merged
from models.db.where import Where, where
from models.job import Job
from models.job.page import job_page
from models.job.queries import JobFilter
from models.job.shown import JOBS, find_job
from models.record.page import RecordFilter, filtered, record_page
from models.record.shown import RECORDS
from models.record.table import Record
from tests.models.db.test_database import JOB, RECORD, insert

CREATED = datetime.now(UTC)  # ids are in order of creation
TICK = timedelta(microseconds=1)
SHARE = 0.1 + 0.2  # has all the digits that a double may have


@pytest.fixture(autouse=True)
async def stored(db: str) -> None:
    for table in ("organization", "record", "job"):
        await insert(table)
    for position, provider in ((2, "alpha"), (1, "beta")):
        found = dump([f"from {provider}"])
        await insert("step", id=provider, provider=provider, position=position, fields_found=found)
    await insert("field_value", id="v", confidence=SHARE, value=dump({"a": [1, None, "ü"]}), observed_at=1)
    await insert("field_value", id="w", field="name", value='"Acme"', replaced_at=5)


async def test_what_was_not_asked_for_is_not_there() -> None:
    job = await find_job("acme", JOB, {"status": EVERYTHING, "record": {"external_id": EVERYTHING}})
    assert job is not None
    assert (job.id, job.status, job.record.external_id) == (JOB, JobStatus.PENDING, "L1")
    for absent in ("priority", "steps", "outcomes"):
        with pytest.raises(AttributeError):
            getattr(job, absent)
    with pytest.raises(AttributeError):
        _ = job.record.fields


async def test_everything_is_each_column_as_the_model_has_it_and_the_parts_in_their_order() -> None:
    await execute("UPDATE job SET forced = TRUE, started_at = 1, next_attempt_at = 1763967600000001")
    job = await find_job("acme", JOB)
    model = await Job.get(id=JOB).prefetch_related("record", "steps")
    assert job is not None
    for name in JOBS.columns:
        assert getattr(job, name) == getattr(model, name), name
    for name in RECORDS.columns:
        assert getattr(job.record, name) == getattr(model.record, name), name
    assert [(step.provider, step.fields_found) for step in job.steps] == [
        ("beta", ["from beta"]),
        ("alpha", ["from alpha"]),
    ]
    assert not hasattr(job.record, "current_values")


async def test_values_come_with_their_record_as_they_are_stored() -> None:
    [record] = await RECORDS.fetch("acme", Where(), {"current_values": EVERYTHING})
    [value] = record.current_values
    assert (value.value, value.confidence, value.verified_count) == ({"a": [1, None, "ü"]}, SHARE, 0)
    assert value.observed_at == datetime(1970, 1, 1, 0, 0, 0, 1, UTC)
    assert value.observed_at_known is None


async def test_rows_of_another_organization_are_not_read() -> None:
    assert await find_job("other", JOB) is None
    assert (await job_page("other", JobFilter(), Keyset(5))).items == []
    assert await JOBS.count("other", Where()) == 0


@pytest.mark.parametrize(
    ("filter", "fits"),
    [
        (JobFilter(), True),
        (JobFilter(entity_types=(EntityType.LEAD, EntityType.ACCOUNT)), True),
        (JobFilter(entity_types=(EntityType.ACCOUNT,)), False),
        (JobFilter(status=(JobStatus.PENDING,)), True),
        (JobFilter(status=(JobStatus.FAILED,)), False),
        (JobFilter(external_id="L1"), True),
        (JobFilter(external_id="L2"), False),
        (JobFilter(record_id=RECORD), True),
        (JobFilter(created_after=CREATED - TICK), True),
        (JobFilter(created_after=CREATED), False),
        (JobFilter(created_before=CREATED + TICK), True),
        (JobFilter(created_before=CREATED), False),
    ],
)
async def test_a_filter_of_jobs_lets_through_what_it_says(filter: JobFilter, fits: bool) -> None:
    await execute("UPDATE job SET created_at = ?", [to_micros(CREATED)])
    page = await job_page("acme", filter, Keyset(5))
    assert (len(page.items), await page.count()) == (int(fits), int(fits))
    [job] = (await job_page("acme", JobFilter(), Keyset(5))).items
    assert filter.matches(job) is fits


@pytest.mark.parametrize("search", ["ann_b", "100%", "ann\\b", "an", "ANN_B", "x"])
@pytest.mark.parametrize("never_enriched", [None, True, False])
async def test_records_are_found_as_the_query_set_finds_them(search: str, never_enriched: bool | None) -> None:
    for number, text in enumerate(("ann_b", "annxb", "100%", "1000", "ann\\b")):
        row = {"id": f"r{number}", "external_id": text, "search_text": text, "completeness": number / 5}
        await insert("record", **row, last_enriched_at=number or None)
    wanted = RecordFilter(
        search=search, never_enriched=never_enriched, completeness_below=0.9, external_ids=("ann_b", "annxb", "100%")
    )
    page = await record_page("acme", wanted, Keyset(9))
    expected = await filtered("acme", wanted).order_by("-id")
    assert [record.id for record in page.items] == [record.id for record in expected]


@pytest.mark.parametrize("field", ["city", "address", "name", "it_"])
@pytest.mark.parametrize("provider", [None, "apollo", "apol"])
async def test_conflicts_are_found_as_the_query_set_finds_them(field: str, provider: str | None) -> None:
    await insert("conflict", id="c", field="address", unit="address", part_names=" city zip ", providers=" apollo ")
    wanted = ConflictFilter(field=field, provider=provider)
    page = await conflict_page("acme", wanted, Keyset(9))
    assert [row.id for row in page.items] == [row.id for row in await select_conflicts("acme", wanted)]


def test_a_condition_that_is_not_known_is_refused() -> None:
    with pytest.raises(KeyError):
        where(Record, {"nothing": 1})
    with pytest.raises(ValueError, match="startswith"):
        where(Record, {"external_id__startswith": "a"})


def test_what_is_wanted_is_put_together() -> None:
    some: Any = {"id": EVERYTHING, "record": {"id": EVERYTHING}}
    assert merged((some, {"record": {"fields": EVERYTHING}})) == {
        "id": EVERYTHING,
        "record": {"id": EVERYTHING, "fields": EVERYTHING},
    }
    assert merged((some, EVERYTHING)) is EVERYTHING
    assert also({}, "id") == {"id": EVERYTHING}
