"""Whom no provider is asked about: nobody on the list is, in any spelling, whenever they were put on it.

One file, because everything is asked of one list.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus, JobTrigger, StepOutcome, SuppressionKind
from enrichment.identity import Identifier, IdentifierKind
from models.audit_list import AuditFilter
from models.db import statements
from models.job import Job
from models.record import Record
from providers.api import Pending, Question
from providers.http.adapter import Reply
from providers.http.client import HttpClient
from resolvers.audit import list_audit
from resolvers.context import Context, Role, Services
from resolvers.cost.estimate import estimate_enrichment
from resolvers.cost.preview import preview_enrichment
from resolvers.credit.api import get_credits
from resolvers.credit.verify import verify_ledger
from resolvers.errors import Forbidden, Unavailable, ValidationFailed
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.paging import PageArgs
from resolvers.secret_box import SecretBox
from resolvers.suppression.api import Values, list_suppressions, suppress, unsuppress
from tests.enrichment.test_identity import EVERY
from tests.providers.http.test_provider import Plain, source_of
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work
from tests.support.graphql_client import Operations
from tests.support.standin_server import json_reply, standin_server
from workers.lookup.batched_store import reserve_all
from workers.upkeep.refresh import refresh

pytestmark = pytest.mark.usefixtures("db")

JOE = {"firstName": "Joe", "lastName": "Doe", "email": "joe@acme.com"}


def paid(**more: Any) -> StandIn:
    return StandIn(id="paid", price=2, remote=True, keeps_days=30, **more)


class Turn:
    """Gives every call its turn, but lets something happen first."""

    def __init__(self) -> None:
        self.entered = 0
        self.then: Callable[[], Awaitable[Any]] | None = None

    async def acquire(
        self, account: str, provider_id: str, calls_per_minute: int, calls_per_second: int | None = None
    ) -> None:
        self.entered += 1
        if self.then is not None:
            await self.then()

    async def observe(self, account: str, provider_id: str, reply: Reply) -> None:
        """Nothing to heed."""


async def ended(ctx: Context, entity_type: str, external_id: str, fields: Mapping[str, Any]) -> Job:
    """The job of a record that was sent, run to its end."""
    sent = await send(ctx, entity_type, external_id, **fields)
    await work(ctx.services)
    return await job_of(sent)


def is_suppressed(job: Job) -> bool:
    return (job.status, job.error_code) == (JobStatus.SKIPPED, "suppressed")


@pytest.mark.parametrize(("wanted", "spelling"), EVERY)
async def test_nobody_is_asked_about_any_spelling(redis: ArqRedis, wanted: Identifier, spelling: str) -> None:
    provider = paid()
    ctx = context(services(redis, provider))
    of_kind = {kind: [wanted.value] if wanted.kind is kind else [] for kind in IdentifierKind}
    email, phone, domain, _ = of_kind.values()
    await suppress(ctx, Values(email, domain, phone))
    fields = {"lastName": "Doe", "country": "Germany", "Private contact": spelling}
    assert is_suppressed(await ended(ctx, "lead", "L-1", fields))
    assert provider.asked == []


@pytest.mark.parametrize(
    ("entity_type", "fields"),
    [
        ("lead", {"lastName": "Doe", "email": "joe@acme.com"}),
        ("lead", {"lastName": "Doe", "email": "Joe@Mail.ACME.com"}),
        ("contact", {"lastName": "Doe", "companyDomain": "https://www.acme.com"}),
        ("contact", {"lastName": "Doe", "website": "http://shop.acme.com/products"}),
        ("account", {"name": "Acme", "domain": "acme.com"}),
        ("account", {"name": "Acme", "website": "ACME.COM"}),
        ("account", {"name": "Acme", "e-mail": "info@acme.com"}),
    ],
)
async def test_a_domain_covers_its_hosts_addresses_and_sites(
    redis: ArqRedis, entity_type: str, fields: dict[str, str]
) -> None:
    provider = paid()
    ctx = context(services(redis, provider))
    await suppress(ctx, Values(domains=["https://Acme.com/"]))
    assert is_suppressed(await ended(ctx, entity_type, "1", fields))
    assert provider.asked == []


async def test_others_and_other_organizations_are_asked_about(redis: ArqRedis) -> None:
    provider = StandIn()
    shared = services(redis, provider)
    ctx = context(shared)
    await suppress(ctx, Values(emails=["joe@acme.com"], domains=["other.com"], phones=["+49 30 901820"]))
    await ended(ctx, "lead", "L-1", {"lastName": "Roe", "email": "roe@acme.com"})
    await ended(context(shared, org="next door"), "lead", "L-1", JOE)
    assert provider.asked == ["roe@acme.com", "joe@acme.com"]


async def test_a_suppression_holds_for_a_job_that_waits_in_the_queue(redis: ArqRedis) -> None:
    provider = paid()
    ctx = context(services(redis, provider))
    sent = await send(ctx, "lead", "L-1", **JOE)
    await suppress(ctx, Values(emails=["JOE@acme.com"]))
    await work(ctx.services)
    assert is_suppressed(await job_of(sent))
    assert provider.asked == []
    again = await send(ctx, "lead", "L-1", title="CEO")
    await work(ctx.services)
    assert is_suppressed(await job_of(again))


async def test_a_suppression_between_two_providers_stops_the_second(redis: ArqRedis) -> None:
    first, second = StandIn(id="first", knows={"joe@acme.com": {"title": "CEO"}}), paid()
    ctx = context(services(redis, first, second))

    async def opt_out(_: Question) -> None:
        await suppress(ctx, Values(emails=["joe@acme.com"]))

    first.on_ask = opt_out
    job = await ended(ctx, "lead", "L-1", JOE)
    assert second.asked == []
    steps = {step.provider: (step.outcome, step.skipped_reason) for step in job.steps}
    assert steps == {"first": (StepOutcome.MATCH, None), "paid": (StepOutcome.SKIPPED, "suppressed")}


async def test_a_suppression_while_credits_are_reserved_stops_the_call(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = paid()
    ctx = context(services(redis, provider))

    async def slowly(*args: Any, **more: Any) -> Any:
        held = await reserve_all(*args, **more)
        await suppress(ctx, Values(emails=["joe@acme.com"]))
        return held

    monkeypatch.setattr("workers.lookup.batched_store.reserve_all", slowly)
    job = await ended(ctx, "lead", "L-1", JOE)
    assert provider.asked == []
    assert is_suppressed(job)
    usage = await get_credits(ctx)
    assert (usage.reserved, usage.used) == (0, 0)
    assert await statements.query("SELECT * FROM answer") == []


async def test_a_suppression_while_a_call_waits_for_its_rate_limit_stops_it(redis: ArqRedis) -> None:
    """Over HTTP nothing is sent, however far the call had come."""
    with standin_server() as server:
        server.script("/company", json_reply({"name": "Acme", "left": 5}))
        client, turn = HttpClient(development=True), Turn()
        try:
            source = source_of(client, server, Plain(), rate_limiter=turn)
            ctx = context(services(redis, source))
            turn.then = lambda: suppress(ctx, Values(domains=["acme.com"]))
            job = await ended(ctx, "account", "A-1", {"domain": "acme.com"})
            assert turn.entered == 1
            assert server.calls == []
            assert is_suppressed(job)
            assert (await get_credits(ctx)).reserved == 0
            await ended(ctx, "account", "A-2", {"domain": "fine.com"})
            assert len(server.calls) == 1
        finally:
            await client.close()


async def test_a_suppression_ends_the_wait_for_a_pending_answer(redis: ArqRedis) -> None:
    clock = Clock()
    provider = paid(later=[Pending("token", 60)])
    ctx = context(services(redis, provider, now=clock))
    sent = await send(ctx, "lead", "L-1", **JOE)
    await work(ctx.services)
    assert (await job_of(sent)).status is JobStatus.PENDING
    assert (await get_credits(ctx)).reserved == 2

    await suppress(ctx, Values(emails=["joe@acme.com"]))
    clock.ahead_seconds += 120
    await work(ctx.services)
    assert is_suppressed(await job_of(sent))
    assert provider.polled == []
    assert (await get_credits(ctx)).reserved == 0
    assert await statements.query("SELECT * FROM answer") == []
    assert (await verify_ledger(ctx)).faults == []


async def test_what_a_provider_finds_is_dropped_where_it_is_suppressed(redis: ArqRedis) -> None:
    """It is not written, not stored, not shown, and no provider is asked with it."""
    found = {"email": "Joe+x@acme.com", "mobilePhone": "+49 30 901820", "title": "CEO", "companyDomain": "fine.com"}
    first, second = paid(knows={"doe": found}), StandIn(id="second")
    ctx = context(services(redis, first, second))
    await suppress(ctx, Values(emails=["joe@acme.com"], phones=["+49 30 901820"]))
    job = await ended(ctx, "lead", "L-1", {"lastName": "Doe", "company": "Fine"})

    record = await Record.get()
    assert record.fields == {"lastName": "Doe", "company": "Fine", "title": "CEO", "companyDomain": "fine.com"}
    assert (first.asked, second.asked) == (["doe"], [])
    [step] = [step for step in job.steps if step.provider == "paid"]
    assert step.fields_found == ["companyDomain", "title"]
    everything = str(
        [await statements.query(f"SELECT * FROM {table}") for table in ("answer", "step", "job", "record")]
    )
    assert "joe+x@acme.com" not in everything.lower()
    assert "901820" not in everything


async def test_a_stored_answer_is_read_without_what_was_suppressed_since(redis: ArqRedis) -> None:
    provider = paid(knows={"fine.com": {"phone": "+49 30 901820", "industry": "Software"}})
    ctx = context(services(redis, provider))
    await ended(ctx, "account", "A-1", {"name": "Fine", "domain": "fine.com"})
    await suppress(ctx, Values(phones=["0049 30 901820"]))
    job = await ended(ctx, "account", "A-2", {"name": "Fine", "domain": "fine.com"})
    assert provider.asked == ["fine.com"]
    assert job.record.fields == {"name": "Fine", "domain": "fine.com", "industry": "Software"}


async def test_a_preview_shows_nothing_that_is_suppressed(redis: ArqRedis) -> None:
    provider = paid(knows={"fine.com": {"phone": "+49 30 901820", "industry": "Software"}})
    ctx = context(services(redis, provider))
    await ended(ctx, "account", "A-1", {"name": "Fine", "domain": "fine.com"})
    await suppress(ctx, Values(phones=["0049 30 901820"]))
    await send(ctx, "account", "A-2", name="Fine", domain="fine.com")
    await send(ctx, "account", "A-3", name="Other", domain="other.com", phone="+49 30 901820")

    preview = await preview_enrichment(ctx, RecordSelection(EntityType.ACCOUNT))

    assert [(result.external_id, result.reason) for result in preview.skipped] == [
        ("A-1", "suppressed"),
        ("A-3", "suppressed"),
    ]
    [shown] = preview.records
    values = {field.field: field.value for field in shown.fields if field.value is not None}
    assert (shown.record.external_id, values) == ("A-2", {"industry": "Software"})
    assert provider.asked == ["fine.com"]


async def test_an_estimate_a_request_and_a_refresh_skip_suppressed_records(redis: ArqRedis) -> None:
    clock = Clock()
    provider = paid(knows={"acme.com": {"industry": "Software"}})
    ctx = context(services(redis, provider, now=clock))
    await ended(ctx, "account", "A-1", {"name": "Acme", "domain": "acme.com"})
    await send(ctx, "account", "A-2", name="Fine", domain="fine.com")
    outcome = await suppress(ctx, Values(domains=["acme.com"]))
    assert (outcome.added, outcome.known, outcome.records) == (1, 0, 1)

    every = RecordSelection(EntityType.ACCOUNT)
    assert (await estimate_enrichment(ctx, every, force=True)).ineligible == {"suppressed": 1}
    [skipped] = (await enrich_records(ctx, every, force=True)).skipped
    assert (skipped.external_id, skipped.reason) == ("A-1", "suppressed")

    await configure(ctx, triggers={"refreshAfterDays": 30})
    clock.ahead_seconds += timedelta(days=31).total_seconds()
    await refresh({"services": ctx.services})
    await work(ctx.services)
    [job] = await Job.filter(trigger=JobTrigger.SCHEDULED_REFRESH, record__external_id="A-1")
    assert is_suppressed(job)
    assert provider.asked == ["acme.com", "fine.com"]


async def test_a_record_that_leaves_the_list_is_asked_about_again(redis: ArqRedis) -> None:
    provider = paid()
    ctx = context(services(redis, provider))
    await suppress(ctx, Values(emails=["joe@acme.com"], phones=["030 901820"], country="Germany"), note="on request")
    [phone] = (await list_suppressions(ctx, SuppressionKind.PHONE, PageArgs())).items
    assert (phone.note, phone.added_by) == ("on request", "ann")
    assert await unsuppress(ctx, Values(emails=["Joe Doe <JOE@acme.com>"]), ids=[phone.id]) == 2
    assert await unsuppress(ctx, Values(emails=["joe@acme.com"])) == 0
    await ended(ctx, "lead", "L-1", JOE)
    assert provider.asked == ["joe@acme.com", "acme.com"]  # and about the company
    lines = (await list_audit(ctx, AuditFilter(action="suppression"), PageArgs())).items
    assert [(entry.action, entry.details) for entry in lines] == [
        ("suppression.removed", {"email": 1, "phone": 1}),
        ("suppression.added", {"email": 1, "phone": 1}),
    ]


@pytest.mark.parametrize(
    ("spelling", "before"),
    [
        (Values(phones=["4930901820.0"], country="Germany"), Values(phones=["+49309018200"])),
        (Values(domains=["acme.wordpress.com"]), Values(domains=["wordpress.com"])),
    ],
)
async def test_what_an_earlier_version_put_on_the_list_leaves_it_in_the_same_spelling(
    redis: ArqRedis, spelling: Values, before: Values
) -> None:
    ctx = context(services(redis, paid()))
    await suppress(ctx, before)  # as the spelling was read then
    assert await unsuppress(ctx, spelling) == 1
    await suppress(ctx, before)
    await suppress(ctx, spelling)
    assert await unsuppress(ctx, spelling) == 1  # today's form is there, and the other is somebody else's
    assert await unsuppress(ctx, before) == 1


async def test_the_list_stores_no_value(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    await suppress(
        ctx, Values(emails=["joe@initech.com"], domains=["umbrella.com"], phones=["+4930901820"]), note="GDPR"
    )
    stored = str([await statements.query(f"SELECT * FROM {table}") for table in ("suppression", "audit_entry")])
    for value in ("joe", "initech", "umbrella", "901820"):
        assert value not in stored
    with pytest.raises(ValidationFailed) as refused:
        await suppress(ctx, Values(emails=["joe@acme.com"]), note="asked for by joe@acme.com")
    assert refused.value.faults[0].path == "note"


async def test_bad_input_is_named_and_nothing_is_stored(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    values = Values(["joe@acme.com", "joe"], ["joe@gmail.com", "acme"], ["030 901820"])
    with pytest.raises(ValidationFailed) as refused:
        await suppress(ctx, values)
    assert [fault.path for fault in refused.value.faults] == ["emails[1]", "domains[0]", "domains[1]", "phones[0]"]
    assert not any("joe" in fault.message for fault in refused.value.faults)
    with pytest.raises(ValidationFailed) as refused:
        await suppress(ctx, Values(["a" * 1001], ["a" * 1001], ["1" * 1001]))
    assert {fault.message for fault in refused.value.faults} == {"at most 1000 characters"}
    with pytest.raises(ValidationFailed):
        await suppress(ctx, Values())
    with pytest.raises(ValidationFailed):
        await suppress(ctx, Values(emails=["joe@acme.com"] * 1001))
    assert (await list_suppressions(ctx, None, PageArgs())).items == []


async def test_only_an_admin_may(redis: ArqRedis) -> None:
    ctx = context(services(redis), role=Role.MANAGER)
    for attempt in (
        suppress(ctx, Values(emails=["joe@acme.com"])),
        unsuppress(ctx, Values(emails=["joe@acme.com"])),
        list_suppressions(ctx, None, PageArgs()),
    ):
        with pytest.raises(Forbidden):
            await attempt


async def test_where_the_list_cannot_be_read_nobody_is_asked(redis: ArqRedis) -> None:
    provider = paid()

    def having(secret: bytes | None) -> Services:
        shared = services(redis, provider)
        shared.secret_box = None if secret is None else SecretBox(secret)
        return shared

    first = context(having(b"1" * 32))
    await suppress(first, Values(emails=["joe@acme.com"]))
    for shared in (having(b"2" * 32), having(None)):
        other = context(shared)
        assert is_suppressed(await ended(other, "lead", "L-1", {**JOE, "title": str(id(shared)), "email": "x@y.com"}))
        with pytest.raises(Unavailable):
            await suppress(other, Values(emails=["joe@acme.com"]))
    assert provider.asked == []
    await ended(first, "lead", "L-2", {"lastName": "Roe", "email": "roe@acme.com"})
    assert provider.asked == ["roe@acme.com", "acme.com"]  # and about the company


async def test_a_plain_key_is_sealed_once_there_is_an_encryption_key(redis: ArqRedis) -> None:
    await suppress(context(services(redis)), Values(emails=["joe@acme.com"]))
    sealed = services(redis, paid())
    sealed.secret_box = SecretBox(b"1" * 32)
    assert is_suppressed(await ended(context(sealed), "lead", "L-1", JOE))
    [row] = await statements.query("SELECT sealed FROM installation_secret")
    assert row["sealed"]


async def test_over_graphql(redis: ArqRedis) -> None:
    run = Operations(services(redis))
    put = 'mutation($v: [String!]) { suppress(emails: $v, note: "on request") { added known records } }'
    assert (await run(put, v=["joe@acme.com"]))["suppress"] == {"added": 1, "known": 0, "records": 0}
    assert (await run(put, v=["JOE@acme.com"]))["suppress"] == {"added": 0, "known": 1, "records": 0}
    found = await run("{ suppressions(kind: EMAIL) { totalCount nodes { id kind note addedBy addedAt } } }")
    assert found["suppressions"]["totalCount"] == 1
    [entry] = found["suppressions"]["nodes"]
    assert (entry["kind"], entry["note"], entry["addedBy"]) == ("EMAIL", "on request", "ann")
    taken = await run("mutation($ids: [ID!]) { unsuppress(ids: $ids) { removed } }", ids=[entry["id"]])
    assert taken["unsuppress"] == {"removed": 1}
    assert await Operations(run.shared, role=Role.MANAGER).code("{ suppressions { totalCount } }") == "FORBIDDEN"
