"""Phone numbers that Apollo sends later, over real HTTP: from the question to the webhook to the written phone.

One file, because every test needs the same installation with its stand-in of Apollo.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus
from models.db.statements import execute, marks, query
from providers.apollo import phones
from resolvers.cost.estimate import estimate_enrichment
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from resolvers.erasure.api import erase_record
from resolvers.job.api import cancel_job, retry_job
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.pipeline import pause_pipeline, resume_pipeline
from resolvers.provider.api import list_providers
from resolvers.record.api import UpsertOutcome
from resolvers.suppression.api import Values, suppress
from service.http.webhooks import MOST_BYTES
from service.logs.logs import redact_text
from tests.support.factories import configure, job_of, send, work
from tests.support.fake_http import body_of
from tests.support.phones_at_work import EMAIL, MATCH, PHONE, RESULT, Installation, delivery, forged, installed
from tests.support.processes import run_command
from tests.support.standin_server import StandInServer, json_reply, sampled, standin_server
from tests.support.waiting import PATIENCE_SECONDS, until
from workers.upkeep.end_calls import end_calls
from workers.upkeep.expire_pending import expire_pending
from workers.upkeep.read_deliveries import read_deliveries

pytestmark = pytest.mark.usefixtures("db")

LEADS = RecordSelection(EntityType.LEAD)
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def apollo() -> Iterator[StandInServer]:
    with standin_server() as server:
        yield server


@pytest.fixture
async def here(redis: ArqRedis, apollo: StandInServer, tmp_path: Path, db: str) -> AsyncIterator[Installation]:
    async with installed(redis, apollo, tmp_path) as installation:
        yield installation


async def test_a_phone_is_written_when_its_webhook_comes(here: Installation) -> None:
    sent = await here.ask()
    job, used, reserved = await here.proven(sent)
    assert (job.status, job.attempts, job.steps[0].skipped_reason) == (JobStatus.PENDING, 0, "waiting")
    assert (job.record.fields["title"], job.record.fields.get("mobilePhone")) == ("VP of Engineering", None)
    assert (used, reserved) == (0, 9)
    [asked] = here.apollo.calls_to(MATCH)
    assert asked.query["reveal_phone_number"] == "true"
    assert asked.query["webhook_url"].startswith(f"{here.settings['public_url']}/v1/auto-enrichment/webhooks/apollo/")

    answer = await here.deliver()
    await work(here.shared)  # at once, without a schedule

    assert (answer.status_code, answer.json()) == (200, {"status": "taken"})
    job, used, reserved = await here.proven(sent)
    assert (job.status, job.record.fields["mobilePhone"], job.credits_used) == (JobStatus.COMPLETED, PHONE, 9)
    assert (used, reserved) == (9, 0)
    assert len(here.apollo.calls) == 1  # the phone was not asked for


async def test_the_same_webhook_twice_is_one(here: Installation) -> None:
    sent = await here.ask()
    answers = [await here.deliver() for _ in range(2)]
    await here.go_on()
    answers.append(await here.deliver())
    await here.go_on()
    assert [answer.json()["status"] for answer in answers] == ["taken", "repeated", "repeated"]
    job, used, reserved = await here.proven(sent)
    assert (job.status, used, reserved) == (JobStatus.COMPLETED, 9, 0)


async def test_webhooks_at_the_same_moment_are_one(here: Installation) -> None:
    sent = await here.ask()
    other = delivery()
    other["people"][0]["phone_numbers"][0]["sanitized_number"] = "+12025550199"
    answers = await asyncio.gather(*(here.deliver(body) for body in [delivery(), other] * 5))
    assert sorted({answer.status_code for answer in answers}) == [200, 409]
    assert [answer.json()["status"] for answer in answers if answer.status_code == 200].count("taken") == 1
    await here.go_on()
    job, used, _ = await here.proven(sent)
    assert used == 9
    taken = next(
        body for answer, body in zip(answers, [delivery(), other] * 5, strict=True) if answer.status_code == 200
    )
    assert job.record.fields["mobilePhone"] == taken["people"][0]["phone_numbers"][0]["sanitized_number"]


async def test_only_the_first_answer_counts(here: Installation) -> None:
    sent = await here.ask()
    other = delivery()
    other["people"][0]["phone_numbers"][0]["sanitized_number"] = "+12025550199"
    await here.deliver()
    assert (await here.deliver(other)).status_code == 409
    await here.go_on()
    assert (await here.deliver(other)).status_code == 409
    await here.go_on()
    job, used, _ = await here.proven(sent)
    assert (job.record.fields["mobilePhone"], used) == (PHONE, 9)


async def test_a_webhook_needs_no_bearer_token_and_opens_nothing_else(here: Installation) -> None:
    await here.ask()
    base = here.settings["public_url"]
    for path in ("/v1/auto-enrichment/jobs?entityType=all&status=all", "/v1/auto-enrichment/config"):
        assert (await here.client.get(base + path)).status_code == 401
    assert (await here.client.post(f"{base}/graphql", json={"query": "{ pipeline { paused } }"})).status_code == 401
    assert (await here.client.get(here.address())).status_code == 405
    assert (await here.deliver(headers={"Authorization": "Bearer nonsense"}, json=delivery())).status_code == 200


async def stranger(here: Installation, address: str) -> None:
    """An address that is not one of ours tells nothing, and changes nothing."""
    answer = await here.deliver(address=address)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert len(answer.json()) == 7  # the members of every problem, and no details
    assert await query("SELECT id FROM answer WHERE delivered_digest IS NOT NULL") == []


async def test_a_token_that_was_tampered_with_is_unknown(here: Installation) -> None:
    sent = await here.ask()
    address = here.address()
    for index in (0, 1, 5, 12, 40, 80, 100, 120, 139, -1):
        await stranger(here, forged(address, index))
    token = address.rpartition("/")[2]
    for wrong in (
        token[:-4],
        token + "AAAA",
        token[:-1] + "=",
        "x",
        "%00",
        token.replace(token[3], "*"),
        token + "%0A",
    ):
        await stranger(here, f"{address.removesuffix(token)}{wrong}")
    for provider in ("hunter", "nobody", "apollo%2F..", "APOLLO"):
        await stranger(here, address.replace("/apollo/", f"/{provider}/"))
    assert (await here.deliver()).status_code == 200
    await here.go_on()
    assert (await here.proven(sent))[1] == 9


async def test_a_token_of_another_installation_is_unknown(
    here: Installation, redis: ArqRedis, apollo: StandInServer, tmp_path: Path
) -> None:
    sent = await here.ask()
    address = here.address()
    async with installed(redis, apollo, tmp_path / "other", encryption_key="z" * 32) as other:
        path = address.removeprefix(here.settings["public_url"])
        assert (await other.client.post(other.settings["public_url"] + path, json=delivery())).status_code == 404
    assert (await here.proven(sent))[2] == 9


async def test_a_token_ends(here: Installation) -> None:
    sent = await here.ask()
    here.clock.ahead_seconds += 66 * 60
    await stranger(here, here.address())
    await here.go_on()
    job, used, reserved = await here.proven(sent)
    assert (job.status, used, reserved) == (JobStatus.COMPLETED, 1, 0)


async def test_a_webhook_is_no_answer_for_another_organization_or_person(here: Installation) -> None:
    """Two tenants ask for the same person, and one of them for somebody else as well."""
    bob = body_of("apollo", "person_found")
    bob["person"] |= {
        "id": "7a00000000000000000000b2",
        "first_name": "Bo",
        "last_name": "Berg",
        "email": "bo@acme.test",
    }
    bob["request_id"] = 700000000000000002
    mine = await here.ask("acme")
    theirs = await here.ask("rivals")
    here.apollo.script(MATCH, json_reply(bob))
    bobs = await here.ask("acme", "L2", "bo@acme.test")
    addresses = [here.address(index) for index in range(3)]
    assert len(set(addresses)) == 3

    refused = await here.deliver(address=addresses[2])  # Mara's numbers, at the address of Bo's question
    assert (refused.status_code, refused.json()["code"]) == (422, "VALIDATION_FAILED")
    assert (await here.deliver(address=addresses[0])).json() == {"status": "taken"}
    await here.go_on()

    job, used, reserved = await here.proven(mine)
    assert (job.record.fields["mobilePhone"], used, reserved) == (PHONE, 9, 9)  # Bo's is still set aside
    job, used, reserved = await here.proven(theirs, organization="rivals")
    assert (job.status, job.record.fields.get("mobilePhone"), used, reserved) == (JobStatus.PENDING, None, 0, 9)
    job, _, _ = await here.proven(bobs)
    assert (job.status, job.record.fields.get("mobilePhone")) == (JobStatus.PENDING, None)
    [noted] = await query("SELECT detail FROM answer WHERE detail <> '' AND state = 'pending'")
    assert "was refused" in noted["detail"]


@pytest.mark.parametrize(
    "payload",
    [
        delivery(id="7a00000000000000000000ff"),
        delivery() | {"request_id": "700000000000000009"},
        {"people": ["x", 7]},
        {"people": [{"id": {"$ne": 1}, "phone_numbers": {"a": 1}}]},
        {"error": "\x00"},
        {},
    ],
)
async def test_an_answer_about_somebody_else_is_refused_and_noted(here: Installation, payload: Any) -> None:
    sent = await here.ask()
    assert (await here.deliver(payload)).status_code == 422
    await here.go_on(301)  # asked for, since it did not come
    job, _, reserved = await here.proven(sent)
    assert (job.status, reserved) == (JobStatus.PENDING, 9)
    assert "was refused" in job.steps[0].detail
    assert (await here.deliver()).json() == {"status": "taken"}
    await here.go_on()
    job, used, reserved = await here.proven(sent)
    assert (job.record.fields["mobilePhone"], used, reserved) == (PHONE, 9, 0)


@pytest.mark.parametrize("change", [{"email": "bo.berg@acme.test"}, {"linkedin_url": "http://linkedin.com/in/bo-berg"}])
async def test_an_address_or_profile_of_somebody_else_is_refused(here: Installation, change: dict[str, str]) -> None:
    sent = await here.ask()
    assert (await here.deliver(delivery(**change))).status_code == 200  # the id fits; the rest is read with the record
    await here.go_on()
    job, used, reserved = await here.proven(sent)
    assert (job.status, job.record.fields.get("mobilePhone"), used, reserved) == (JobStatus.PENDING, None, 0, 9)
    assert "was refused" in job.steps[0].detail
    await here.deliver()
    await here.go_on()
    assert (await here.proven(sent))[1] == 9


GARBAGE = [
    (b"", JSON, 400),
    (b"{", JSON, 400),
    (b"\xff\xfe", JSON, 400),
    (b"[]", JSON, 422),
    (b"null", JSON, 422),
    (b'{"people": 1, "people": 2}', JSON, 400),
    (b'{"a":' * 5000 + b"1" + b"}" * 5000, JSON, 400),
    (b"<html><body>Sign in</body></html>", {"content-type": "text/html"}, 415),
    (b"people=1", {"content-type": "application/x-www-form-urlencoded"}, 415),
    (b'{"people": "' + b"x" * MOST_BYTES + b'"}', JSON, 413),
]


@pytest.mark.parametrize(("body", "headers", "status"), GARBAGE)
async def test_garbage_is_refused_and_changes_nothing(
    here: Installation, body: bytes, headers: dict[str, str], status: int
) -> None:
    sent = await here.ask()
    answer = await here.deliver(content=body, headers=headers)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert await query("SELECT id FROM answer WHERE delivered_digest IS NOT NULL") == []
    await here.deliver()
    await here.go_on()
    assert (await here.proven(sent))[1] == 9


async def test_gigabytes_are_not_read(here: Installation) -> None:
    sent = await here.ask()
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        yield b'{"people": "'
        for _ in range(4096):
            given += 1
            yield b"x" * 1024 * 1024
            await asyncio.sleep(0)

    with contextlib.suppress(httpx.HTTPError):  # it may be cut off in the middle
        answer = await here.deliver(content=endless(), headers=JSON)
        assert answer.status_code == 413
    assert given < 64
    await here.deliver()
    await here.go_on()
    assert (await here.proven(sent))[1] == 9


async def test_a_webhook_that_comes_before_the_job_has_lain_down_is_not_lost(here: Installation) -> None:
    here.apollo.held = threading.Event()
    sent = await send(here.of(), "lead", "L1", email=EMAIL)
    working = asyncio.create_task(work(here.shared))
    await until(lambda: here.apollo.calls_to(MATCH))
    assert (await here.deliver()).json() == {"status": "taken"}
    here.apollo.held.set()
    await working
    assert (await here.proven(sent))[0].status is JobStatus.PENDING
    await here.go_on()
    job, used, reserved = await here.proven(sent)
    assert (job.status, job.record.fields["mobilePhone"], used, reserved) == (JobStatus.COMPLETED, PHONE, 9, 0)
    assert not here.apollo.calls_to(RESULT)


async def test_an_early_webhook_about_somebody_else_is_refused_once_it_is_known(here: Installation) -> None:
    here.apollo.held = threading.Event()
    sent = await send(here.of(), "lead", "L1", email=EMAIL)
    working = asyncio.create_task(work(here.shared))
    await until(lambda: here.apollo.calls_to(MATCH))
    assert (await here.deliver(delivery(id="another"))).status_code == 200
    here.apollo.held.set()
    await working
    await here.go_on()
    job, _, reserved = await here.proven(sent)
    assert (job.status, reserved) == (JobStatus.PENDING, 9)
    assert "was refused" in job.steps[0].detail
    assert (await here.deliver()).json() == {"status": "taken"}
    await here.go_on()
    assert (await here.proven(sent))[0].record.fields["mobilePhone"] == PHONE


async def test_a_phone_that_is_not_sent_is_asked_for(here: Installation) -> None:
    sent = await here.ask()
    await here.go_on(301)
    assert (await here.proven(sent))[0].status is JobStatus.PENDING
    here.apollo.script(
        RESULT, json_reply(body_of("apollo", "phone_result_ready") | {"request_id": "700000000000000001"})
    )
    await here.go_on(601)
    job, used, reserved = await here.proven(sent)
    assert (job.record.fields["mobilePhone"], used, reserved) == (PHONE, 9, 0)
    late = await here.deliver()
    assert (late.status_code, late.json()) == (200, {"status": "late"})
    await here.go_on()
    assert (await here.proven(sent))[1:] == (9, 0)


@pytest.mark.parametrize(
    "refusal", [json_reply({"error_code": "API_INACCESSIBLE"}, 403), sampled("apollo", "pending_unknown_id")]
)
async def test_a_key_that_may_not_ask_for_results_waits_for_the_webhook(here: Installation, refusal: Any) -> None:
    sent = await here.ask()
    here.apollo.script(RESULT, refusal)
    await here.go_on(301)
    await here.go_on(901)
    assert len(here.apollo.calls_to(RESULT)) == 1
    assert [view.healthy for view in await list_providers(here.of())] == [True]
    await here.deliver()
    await here.go_on()
    assert (await here.proven(sent))[0].record.fields["mobilePhone"] == PHONE


async def test_a_phone_that_never_comes_costs_what_came_at_once(here: Installation) -> None:
    sent = await here.ask()
    for _ in range(6):
        await here.go_on(901)
    job, used, reserved = await here.proven(sent)
    assert (job.status, job.credits_used, used, reserved) == (JobStatus.COMPLETED, 1, 1, 0)
    assert "never came" in job.steps[0].detail
    assert (await here.deliver()).status_code == 404  # the address has ended
    other = await here.ask(external_id="L2")
    assert (await here.proven(other))[0].record.fields["title"] == "VP of Engineering"
    assert len(here.apollo.calls_to(MATCH)) == 1  # it was paid for, and is kept


async def test_nobodys_phone_costs_the_match_alone(here: Installation) -> None:
    sent = await here.ask()
    assert (await here.deliver(delivery(phone_numbers=[]) | {"credits_consumed": 1})).json() == {"status": "taken"}
    await here.go_on()
    job, used, reserved = await here.proven(sent)
    assert (job.status, used, reserved) == (JobStatus.COMPLETED, 1, 0)


async def test_what_apollo_says_that_the_numbers_consumed_is_what_they_cost(here: Installation) -> None:
    """Its documented example: two numbers of type other, one credit consumed."""
    sent = await here.ask()
    recorded = Path(phones.__file__).parent / "recorded" / "phones_of_type_other" / "answer.json"
    result = orjson.loads(recorded.read_bytes())["body"]["webhook_result"]
    numbers = result["people"][0]["phone_numbers"]
    await here.deliver(delivery(phone_numbers=numbers) | {"credits_consumed": result["credits_consumed"]})
    await here.go_on()
    job, used, reserved = await here.proven(sent)
    assert (job.status, job.record.fields["phone"], used, reserved) == (JobStatus.COMPLETED, PHONE, 1, 0)
    [stated] = (await get_credits(here.of())).stated
    assert (stated.provider, stated.stated, stated.charged, stated.drift) == ("apollo", 1.0, 1, 0.0)


async def test_nobody_found_is_waited_for_by_nobody(here: Installation) -> None:
    here.apollo.script(MATCH, sampled("apollo", "not_found"))
    await configure(here.of(), companyQuestions=False)
    sent = await here.ask()
    job, used, reserved = await here.proven(sent)
    assert (job.status, used, reserved) == (JobStatus.COMPLETED, 0, 0)
    late = await here.deliver()
    assert late.json() == {"status": "late"}


async def test_a_cancelled_job_pays_for_what_it_got_and_its_webhook_changes_nothing(here: Installation) -> None:
    sent = await here.ask()
    await cancel_job(here.of(), (await here.proven(sent))[0].id)
    await here.deliver()
    await here.go_on()
    job, _, _ = await here.proven(sent)
    assert (job.status, job.record.fields.get("mobilePhone")) == (JobStatus.CANCELLED, None)
    here.clock.ahead_seconds += 2 * 3600 + 60
    assert await expire_pending({"services": here.shared}) == 1
    assert await expire_pending({"services": here.shared}) == 0
    job, used, reserved = await here.proven(sent)
    assert (job.credits_used, used, reserved) == (1, 1, 0)


async def test_a_paused_pipeline_keeps_what_was_sent(here: Installation) -> None:
    sent = await here.ask()
    await pause_pipeline(here.of())
    await here.deliver()
    await here.go_on(5 * 3600)
    assert await expire_pending({"services": here.shared}) == 0
    assert (await here.proven(sent))[0].status is JobStatus.PENDING
    await resume_pipeline(here.of())
    await here.go_on()
    job, used, reserved = await here.proven(sent)
    assert (job.record.fields["mobilePhone"], used, reserved) == (PHONE, 9, 0)


async def test_what_came_at_once_does_not_change_the_question(here: Installation) -> None:
    """A lead found by its profile gets an e-mail address at once, by which it would be asked for another time."""
    person = body_of("apollo", "person_found")
    profile = person["person"]["linkedin_url"].replace("http://www.", "https://www.")
    sent = await send(here.of(), "lead", "L1", linkedinUrl=profile)
    await work(here.shared)
    assert (await here.proven(sent))[0].record.fields["email"] == EMAIL
    await here.deliver()
    await here.go_on()
    job, used, reserved = await here.proven(sent)
    assert (job.status, job.record.fields["mobilePhone"], used, reserved) == (JobStatus.COMPLETED, PHONE, 9, 0)
    assert len(here.apollo.calls_to(MATCH)) == 1


async def test_a_job_whose_worker_died_after_the_charge_shows_what_it_paid(here: Installation) -> None:
    """The charge and the kept answer are one transaction, the end of the job is the next: that one is taken back."""
    sent = await here.ask()
    before = {table: await query(f"SELECT * FROM {table}") for table in ("record", "job", "step")}
    values = [row["id"] for row in await query("SELECT id FROM field_value")]
    await here.deliver()
    await here.go_on()
    assert (await here.proven(sent))[1:] == (9, 0)
    for table, rows in before.items():
        for row in rows:
            changed = ", ".join(f"{name} = ?" for name in row)
            await execute(f"UPDATE {table} SET {changed} WHERE id = ?", [*row.values(), row["id"]])
    await execute(f"DELETE FROM field_value WHERE id NOT IN ({marks(values)})", values)
    assert (await job_of(sent)).status is JobStatus.PENDING

    await here.go_on(301)

    job, used, reserved = await here.proven(sent)
    assert (job.status, job.credits_used, job.record.fields["mobilePhone"]) == (JobStatus.COMPLETED, 9, PHONE)
    assert (used, reserved) == (9, 0)
    assert len(here.apollo.calls_to(MATCH)) == 1


async def test_another_record_of_the_same_person_waits_along_and_costs_nothing(here: Installation) -> None:
    first, second = await here.ask(), await here.ask(external_id="L2")
    await here.deliver()
    await here.go_on()
    await here.go_on(61)
    for sent, credits in ((first, 9), (second, 0)):
        job, used, reserved = await here.proven(sent)
        assert (job.record.fields["mobilePhone"], job.credits_used) == (PHONE, credits)
        assert (used, reserved) == (9, 0)
    assert len(here.apollo.calls_to(MATCH)) == 1


async def test_who_was_paid_for_with_the_phone_is_not_paid_for_without_it(here: Installation) -> None:
    await here.ask()
    await here.deliver()
    await here.go_on()
    known = {"phone": "+12025550198", "mobilePhone": "+12025550199"}
    sent = await send(here.of(), "contact", "C1", email=EMAIL, **known)
    await work(here.shared)
    job, used, reserved = await here.proven(sent)
    assert (job.status, job.record.fields["title"], job.credits_used) == (JobStatus.COMPLETED, "VP of Engineering", 0)
    assert (used, reserved, len(here.apollo.calls_to(MATCH))) == (9, 0, 1)
    assert {name: job.record.fields[name] for name in known} == known

    await here.ask(external_id="L9", email="other@example.com")  # somebody else is
    assert len(here.apollo.calls_to(MATCH)) == 2


async def test_the_webhook_of_a_record_that_was_erased_is_unknown(here: Installation) -> None:
    sent = await here.ask()
    address = here.address()
    await erase_record(here.of(), EntityType.LEAD, "L1", reason=None)
    await stranger(here, address)
    assert await query("SELECT id FROM answer") == []
    assert sent.record is not None
    usage = await get_credits(here.of())
    assert (usage.used, usage.reserved) == (0, 0)
    assert (await check_ledger("acme")).faults == []


async def test_nothing_is_written_of_a_person_who_is_suppressed_while_the_phone_is_on_its_way(
    here: Installation,
) -> None:
    sent = await here.ask()
    await suppress(here.of(), Values(emails=[EMAIL]))
    await here.deliver()
    await here.go_on()
    job, used, reserved = await here.proven(sent)
    assert (job.record.fields.get("mobilePhone"), used, reserved) == (None, 0, 0)
    assert await query("SELECT id FROM answer WHERE delivered IS NOT NULL") == []


async def test_no_log_shows_the_address(here: Installation) -> None:
    await here.ask()
    address = here.address()
    token = address.rpartition("/")[2]
    assert token not in redact_text(f"path={address} and {address}?x=1")


def worker(here: Installation, db: str, redis_url: str, tmp_path: Path) -> subprocess.Popen[bytes]:
    """A worker in a process of its own."""
    given = {f"AUTO_ENRICHMENT_{name.upper()}": value for name, value in here.settings.items()}
    stores = {"AUTO_ENRICHMENT_DATABASE_URL": db, "AUTO_ENRICHMENT_REDIS_URL": redis_url}
    started = run_command("worker", data_dir=tmp_path / "data", **given, **stores)
    return subprocess.Popen(**started, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait(PATIENCE_SECONDS)


async def test_a_worker_killed_between_question_and_webhook_loses_nothing(
    here: Installation, db: str, redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    sent = await send(here.of(), "lead", "L1", email=EMAIL)
    process = worker(here, db, redis_url, tmp_path)
    try:
        await until(lambda: here.apollo.calls_to(MATCH))
        await until(waits)
    finally:
        kill(process)
    assert (await here.deliver()).json() == {"status": "taken"}
    await here.shared.redis.flushall()  # of the wake-ups that the dead one held
    await here.go_on()
    job, used, reserved = await here.proven(sent)
    assert (job.status, job.record.fields["mobilePhone"], used, reserved) == (JobStatus.COMPLETED, PHONE, 9, 0)


async def test_a_call_whose_answer_no_worker_saw_may_be_charged_and_is_not_repeated_until_a_person_asks(
    here: Installation, db: str, redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    here.apollo.held = threading.Event()
    sent = await send(here.of(), "lead", "L1", email=EMAIL)
    process = worker(here, db, redis_url, tmp_path)
    try:
        await until(lambda: here.apollo.calls_to(MATCH))
    finally:
        kill(process)
    here.apollo.held.set()
    await here.shared.redis.flushall()
    here.clock.ahead_seconds += 60  # its lease runs out, and the time in which its call can be answered
    assert await end_calls(here.shared) == 1
    await here.go_on()
    job, used, reserved = await here.proven(sent)
    assert (job.status, used, reserved, len(here.apollo.calls_to(MATCH))) == (JobStatus.FAILED, 0, 0, 1)
    [part] = (await get_credits(here.of())).maybe_charged
    assert (part.key, part.credits) == ("apollo", 9)

    await retry_job(here.of(), job.id)
    await work(here.shared)
    await here.deliver()
    await here.go_on()
    job, used, reserved = await here.proven(sent)
    assert (job.status, job.record.fields["mobilePhone"], used, reserved) == (JobStatus.COMPLETED, PHONE, 9, 0)


@contextlib.asynccontextmanager
async def lost_in_mid_call(here: Installation, db: str, redis_url: str, tmp_path: Path) -> AsyncIterator[UpsertOutcome]:
    """A lead whose worker was killed between its call to Apollo and the reply to it."""
    (tmp_path / "data").mkdir(exist_ok=True)
    await configure(here.of(), companyQuestions=False)
    here.apollo.held = threading.Event()
    sent = await send(here.of(), "lead", "L1", email=EMAIL)
    process = worker(here, db, redis_url, tmp_path)
    try:
        await until(lambda: here.apollo.calls_to(MATCH))
    finally:
        kill(process)
        here.apollo.held.set()
    await here.shared.redis.flushall()
    yield sent


async def test_a_phone_that_is_sent_for_a_call_whose_worker_died_settles_the_call_and_is_used(
    here: Installation, db: str, redis_url: str, tmp_path: Path
) -> None:
    async with lost_in_mid_call(here, db, redis_url, tmp_path) as sent:
        assert (await here.deliver(delivery() | {"credits_consumed": 8})).json() == {"status": "taken"}
        await here.go_on(60)
        await here.go_on(6)
    job, used, reserved = await here.proven(sent)
    assert (job.status, job.record.fields["mobilePhone"], used, reserved) == (JobStatus.COMPLETED, PHONE, 9, 0)
    assert ((await get_credits(here.of())).maybe_charged, len(here.apollo.calls_to(MATCH))) == ([], 1)
    other = await here.ask(external_id="L2")  # whoever asks next wants the whole answer, which nobody saw
    job, used, reserved = await here.proven(other)
    assert (job.record.fields["title"], used, reserved) == ("VP of Engineering", 9, 9)
    assert len(here.apollo.calls_to(MATCH)) == 2


async def test_a_phone_that_comes_once_its_call_is_maybe_charged_is_kept_and_a_retry_uses_it(
    here: Installation, db: str, redis_url: str, tmp_path: Path
) -> None:
    async with lost_in_mid_call(here, db, redis_url, tmp_path) as sent:
        await here.go_on(60)
        assert (await here.proven(sent))[0].status is JobStatus.FAILED
        wrong = await here.deliver(delivery(email="bo.berg@acme.test"))
        assert wrong.status_code == 200
        await here.go_on()
        assert (await here.deliver()).json() == {"status": "taken"}
        await here.go_on()
    await retry_job(here.of(), (await job_of(sent)).id)
    await work(here.shared)
    job, used, reserved = await here.proven(sent)
    assert (job.status, job.record.fields["mobilePhone"], used, reserved) == (JobStatus.COMPLETED, PHONE, 0, 0)
    [part] = (await get_credits(here.of())).maybe_charged
    assert (part.credits, len(here.apollo.calls_to(MATCH))) == (9, 1)


async def test_of_a_phone_that_comes_after_an_erasure_only_the_cost_is_kept(
    here: Installation, db: str, redis_url: str, tmp_path: Path
) -> None:
    async with lost_in_mid_call(here, db, redis_url, tmp_path):
        await erase_record(here.of(), EntityType.LEAD, "L1", reason=None)
        assert (await here.deliver(delivery() | {"credits_consumed": 8})).json() == {"status": "late"}
        await here.go_on(60)
    usage = await get_credits(here.of())
    assert (usage.used, usage.reserved, usage.maybe_charged) == (9, 0, [])
    assert await query("SELECT id FROM answer") == []
    assert (await check_ledger("acme")).faults == []
    assert (await here.deliver()).status_code == 404


async def test_what_is_sent_about_a_suppressed_person_is_read_once_and_not_kept(
    here: Installation, db: str, redis_url: str, tmp_path: Path
) -> None:
    async with lost_in_mid_call(here, db, redis_url, tmp_path):
        await here.go_on(60)
        await suppress(here.of(), Values(emails=[EMAIL]))
        assert (await here.deliver()).json() == {"status": "taken"}
        assert [await read_deliveries(here.shared) for _ in range(2)] == [1, 0]
    assert await query("SELECT id FROM answer WHERE delivered IS NOT NULL") == []


@pytest.mark.parametrize("settles", [True, False])
async def test_a_call_whose_answer_is_still_to_be_read_is_not_ended_as_maybe_charged(
    here: Installation, db: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settles: bool
) -> None:
    async def defect(*_: Any) -> None:
        raise RuntimeError("cannot be settled")

    async with lost_in_mid_call(here, db, redis_url, tmp_path) as sent:
        await here.deliver(delivery() | {"credits_consumed": 8})
        here.clock.ahead_seconds += 60
        await end_calls(here.shared)  # by a worker that has not read it
        assert await query("SELECT id FROM call_intent") != []
        if not settles:
            monkeypatch.setattr("workers.upkeep.read_deliveries._settle", defect)
        await here.go_on()
    _, used, reserved = await here.proven(sent)
    assert (used, reserved, await query("SELECT id FROM call_intent")) == (9 if settles else 0, 0, [])


async def waits() -> bool:
    return bool(await query("SELECT id FROM job WHERE status = 'pending' AND started_at IS NOT NULL"))


async def test_an_installation_without_a_public_address_asks_for_no_phones(
    redis: ArqRedis, apollo: StandInServer, tmp_path: Path
) -> None:
    async with installed(redis, apollo, tmp_path, public_url=None, apollo_phones=None) as here:
        sent = await here.ask()
        assert here.apollo.calls_to(MATCH)[0].query["reveal_phone_number"] == "false"
        job, used, _ = await here.proven(sent)
        assert (job.status, used) == (JobStatus.COMPLETED, 1)
        [view] = await list_providers(here.of())
        assert (view.price, view.extra_price, view.extra_for) == (1, 0, {})
        assert "not asked for" in view.remarks[0]
        path = "/v1/auto-enrichment/webhooks/apollo/" + "A" * 140
        assert (await here.client.post(here.settings["public_url"] + path, json={})).status_code == 404


async def test_phones_may_be_asked_for_without_a_webhook(
    redis: ArqRedis, apollo: StandInServer, tmp_path: Path
) -> None:
    async with installed(redis, apollo, tmp_path, public_url=None, apollo_phones=True) as here:
        sent = await here.ask()
        asked = here.apollo.calls_to(MATCH)[0].query
        assert (asked["poll_only"], asked.get("webhook_url")) == ("true", None)
        await here.go_on(11)
        here.apollo.script(
            RESULT, json_reply(body_of("apollo", "phone_result_ready") | {"request_id": "700000000000000001"})
        )
        await here.go_on(21)
        job, used, reserved = await here.proven(sent)
        assert (job.record.fields["mobilePhone"], used, reserved) == (PHONE, 9, 0)


async def test_an_organization_and_an_operator_say_what_a_phone_may_cost(
    redis: ArqRedis, apollo: StandInServer, tmp_path: Path
) -> None:
    async with installed(redis, apollo, tmp_path, provider_prices={"apollo": 2, "apollo_phones": 3}) as here:
        ctx = here.of()
        await configure(ctx, triggers={"onCreate": False}, companyQuestions=False)
        await send(ctx, "lead", "L1", email=EMAIL)
        assert (await estimate_enrichment(ctx, LEADS)).maximum == 5
        await configure(ctx, fieldPolicies={"lead": {"fields": {"phone": "never", "mobilePhone": "never"}}})
        assert (await estimate_enrichment(ctx, LEADS)).maximum == 2
        await configure(ctx, fieldPolicies={"lead": {"fields": {"phone": "never", "mobilePhone": "fill_empty"}}})
        await enrich_records(ctx, LEADS)
        await work(here.shared)
        await here.deliver()
        await here.go_on()
        sent = await send(ctx, "lead", "L1", email=EMAIL)
        assert sent.record is not None and sent.record.fields["mobilePhone"] == PHONE
        [entry] = await query("SELECT amount FROM credit_entry WHERE kind = 'charge'")
        assert entry["amount"] == -5
        [view] = await list_providers(here.of())
        assert (view.price, view.extra_price) == (2, 3)
