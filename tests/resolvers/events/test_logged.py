"""Every change that somebody may want to hear of stands in the log: ids, names of fields and counts, never a value."""

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus
from models.conflict.queries import ConflictFilter
from models.db.statements import query
from models.event.cursor import OLDEST
from models.event.kinds import EventKind
from models.event.read import rows_after
from models.event.single import SingleEvent, single_events
from providers.api import ProviderError
from resolvers.conflict.api import list_conflicts, reopen_conflict, resolve_conflict
from resolvers.context import Context
from resolvers.credit.api import grant_credits
from resolvers.job.api import cancel_job, retry_job
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.paging import PageArgs
from resolvers.pipeline import pause_pipeline, resume_pipeline
from resolvers.provider.api import reset_provider
from resolvers.undo.api import undo_job
from tests.support.factories import StandIn, configure, context, send, services, work
from tests.support.log import settled

pytestmark = pytest.mark.usefixtures("db")

K = EventKind
KNOWS = {"acme.com": {"name": "Acme Corp", "industry": "Software", "city": "Berlin"}}


async def logged(ctx: Context) -> list[SingleEvent]:
    assert ctx.caller is not None
    await settled(ctx.caller.organization_id)
    rows = await rows_after(ctx.caller.organization_id, OLDEST, 1000)
    return [event for row in rows.rows for event in single_events(row)]


async def kinds(ctx: Context) -> list[EventKind]:
    return [event.kind for event in await logged(ctx)]


async def test_a_jobs_life_costs_two_rows_which_say_all_that_it_did(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn(knows=KNOWS)))
    sent = await send(ctx, "account", "A1", domain="acme.com", industry="Retail")
    await work(ctx.services)

    assert sent.job is not None
    assert sent.record is not None
    events = await logged(ctx)
    assert len(await query("SELECT * FROM event WHERE record_id = ?", [sent.record.id])) == 2
    assert [event.kind for event in events if event.record_id] == [
        K.RECORD_CREATED,
        K.JOB_CREATED,
        K.RECORD_ENRICHED,
        K.CONFLICT_RAISED,
        K.JOB_ENDED,
    ]
    assert {event.record_id for event in events if event.record_id} == {sent.record.id}
    created, job, enriched, raised, ended = (event for event in events if event.record_id)
    assert created.cursor < job.cursor < enriched.cursor < raised.cursor < ended.cursor
    assert (job.job_id, ended.job_id, ended.job_status) == (sent.job.id, sent.job.id, JobStatus.COMPLETED)
    assert set(enriched.fields) == {"name", "city"}
    assert ended.conflicts_raised == 1
    assert [(step.provider, step.outcome) for step in ended.steps] == [("standin", "match")]
    [conflict] = (await list_conflicts(ctx, ConflictFilter(), PageArgs())).items
    assert raised.conflict_id == conflict.id


async def test_no_value_is_in_the_log(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn(knows=KNOWS)))
    await send(ctx, "account", "A1-external", domain="acme.com", industry="Retail")
    await work(ctx.services)
    [conflict] = (await list_conflicts(ctx, ConflictFilter(), PageArgs())).items
    await resolve_conflict(ctx, conflict.id, None)
    written = str(await query("SELECT * FROM event")).lower()
    for value in ("acme.com", "acme corp", "software", "berlin", "retail", "a1-external"):
        assert value not in written


async def test_a_change_of_the_crm_names_its_fields_its_job_and_the_conflicts_that_it_ends(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn(knows=KNOWS)))
    await send(ctx, "account", "A1", domain="acme.com", industry="Retail")
    await work(ctx.services)
    before = len(await logged(ctx))
    sent = await send(ctx, "account", "A1", domain="acme.com", industry="Banking")
    changed, ended, job = (await logged(ctx))[before:]
    assert (changed.kind, changed.fields) == (K.RECORD_CHANGED, ("industry",))
    assert ended.kind is K.CONFLICT_SUPERSEDED
    assert sent.job is not None
    assert (job.kind, job.job_id) == (K.JOB_CREATED, sent.job.id)
    await send(ctx, "account", "A1", domain="acme.com", industry="Banking")
    assert len(await logged(ctx)) == before + 3  # what is only repeated is no event


async def test_decisions_on_conflicts_are_logged(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn(knows=KNOWS)))
    await send(ctx, "account", "A1", domain="acme.com", industry="Retail")
    await work(ctx.services)
    [conflict] = (await list_conflicts(ctx, ConflictFilter(), PageArgs())).items
    before = len(await logged(ctx))
    await resolve_conflict(ctx, conflict.id, None)
    await resolve_conflict(ctx, conflict.id, None)  # the same again is no event
    await reopen_conflict(ctx, conflict.id)
    events = (await logged(ctx))[before:]
    told = [event for event in events if event.kind is not K.RECORD_CHANGED]
    assert [(event.kind, event.conflict_id) for event in told] == [
        (K.CONFLICT_RESOLVED, conflict.id),
        (K.CONFLICT_REOPENED, conflict.id),
    ]


async def test_jobs_that_are_asked_for_cancelled_and_tried_again_are_logged(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    ctx = context(shared)
    await configure(ctx, cooldownHours=0, triggers={"onCreate": False})
    await send(ctx, "account", "A1", domain="acme.com")
    outcome = await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT, ("A1",)))
    [job] = outcome.queued
    await cancel_job(ctx, job.id)
    assert (await kinds(ctx))[-2:] == [K.JOB_CREATED, K.JOB_ENDED]
    assert (await logged(ctx))[-1].job_status is JobStatus.CANCELLED


async def test_what_is_set_paused_and_granted_is_logged(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await configure(ctx, minConfidence=0.5)
    await configure(ctx, minConfidence=0.5)  # nothing changes
    await pause_pipeline(ctx, reason="audit")
    await pause_pipeline(ctx)
    await resume_pipeline(ctx)
    await grant_credits(ctx, amount=5, note=None, idempotency_key="k")
    await grant_credits(ctx, amount=5, note=None, idempotency_key="k")
    told = [event for event in await logged(ctx) if event.kind is not K.CREDITS_GRANTED]
    assert [event.kind for event in told] == [K.CONFIG_CHANGED, K.PIPELINE_PAUSED, K.PIPELINE_RESUMED]
    assert told[0].config_version == 2
    granted = [event.credits for event in await logged(ctx) if event.kind is K.CREDITS_GRANTED]
    assert granted[-1] == 5
    assert len(granted) == 2  # the month's, and this


async def test_a_retry_is_logged_and_so_is_how_it_ends(redis: ArqRedis) -> None:
    refusing = StandIn(knows=KNOWS, fails=[ProviderError("bad_key", "no", retryable=False)], remote=True)
    ctx = context(services(redis, refusing))
    sent = await send(ctx, "account", "A1", domain="acme.com")
    await work(ctx.services)
    assert sent.job is not None
    await reset_provider(ctx, "standin")
    await retry_job(ctx, sent.job.id)
    await work(ctx.services)
    told = [(event.kind, event.job_status) for event in await logged(ctx) if event.kind in {K.JOB_RETRIED, K.JOB_ENDED}]
    assert told == [(K.JOB_ENDED, JobStatus.FAILED), (K.JOB_RETRIED, None), (K.JOB_ENDED, JobStatus.COMPLETED)]
    health = [event for event in await logged(ctx) if event.kind is K.PROVIDER_CHANGED]
    assert [(event.provider, event.provider_state) for event in health] == [("standin", "open"), ("standin", "closed")]


async def test_an_undo_says_which_fields_it_put_back(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn(knows=KNOWS)))
    sent = await send(ctx, "account", "A1", domain="acme.com")
    await work(ctx.services)
    assert sent.job is not None
    await undo_job(ctx, sent.job.id)
    last = (await logged(ctx))[-1]
    assert (last.kind, set(last.fields)) == (K.RECORD_CHANGED, set(KNOWS["acme.com"]))


async def test_credits_that_run_low_and_out_are_logged_and_again_for_another_limit(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn(knows=KNOWS, price=5, remote=True)))
    await configure(ctx, credits={"monthlyLimit": 5, "alertThresholds": [0.5, 1.0]})
    await send(ctx, "account", "A1", domain="acme.com")
    await work(ctx.services)
    await configure(ctx, credits={"monthlyLimit": 10, "alertThresholds": [0.5, 1.0]})
    low = [event for event in await logged(ctx) if event.kind in {K.CREDITS_LOW, K.CREDITS_EXHAUSTED}]
    assert [(event.credits_share, event.credits, event.credits_most) for event in low] == [
        (0.5, 5, 5),
        (1.0, 5, 5),
        (0.5, 5, 10),
    ]
    assert low[-1].kind is K.CREDITS_LOW
