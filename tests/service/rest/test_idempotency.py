"""`Idempotency-Key`: the same POST again is done once and answered as the first time."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from models.idempotency import IdempotentAnswer
from models.job import Job
from resolvers import idempotency
from resolvers.conflict import api as conflicts
from resolvers.context import Role
from resolvers.erasure.api import erase_record
from resolvers.errors import IdempotencyKeyInUse
from tests.support.factories import StandIn, context, send, services, work
from tests.support.rest_client import Rest, problem_code
from workers.upkeep.prune import prune

pytestmark = pytest.mark.usefixtures("db")

KEY = {"Idempotency-Key": "import-1"}
RECORD = {"records": [{"entityType": "account", "externalId": "A1", "fields": {"domain": "acme.com"}}]}


@pytest.fixture
def shared(redis: ArqRedis) -> Any:
    return services(redis, StandIn())


@pytest.fixture
def rest(shared: Any) -> Rest:
    return Rest(shared)


async def test_a_request_that_comes_again_is_done_once_and_answered_as_before(rest: Rest) -> None:
    first = await rest.post("/records", json=RECORD, headers=KEY)
    again = await rest.post("/records", json=RECORD, headers=KEY)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.json()["created"] == 1
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    plain = await rest.post("/records", json=RECORD)
    assert plain.json()["unchanged"] == 1
    assert await Job.all().count() == 1


async def test_the_key_belongs_to_one_request_of_one_user(rest: Rest) -> None:
    await rest.post("/records", json=RECORD, headers=KEY)
    other = {"records": [{"entityType": "account", "externalId": "A2", "fields": {}}]}
    assert problem_code(await rest.post("/records", json=other, headers=KEY)) == "IDEMPOTENCY_KEY_REUSED"
    assert problem_code(await rest.post("/pause", headers=KEY)) == "IDEMPOTENCY_KEY_REUSED"
    assert (await rest.post("/records", json=other, headers=KEY, org="other")).json()["created"] == 1
    assert (await rest.get("/jobs?entityType=all&status=all", headers=KEY)).status_code == 200


async def test_a_refusal_is_an_answer_too_but_not_one_before_the_request_was_taken(rest: Rest) -> None:
    wrong = {"records": "none"}
    for _ in range(2):
        assert problem_code(await rest.post("/records", json=wrong, headers=KEY)) == "VALIDATION_FAILED"
    assert await IdempotentAnswer.all().count() == 1
    refused = {"Idempotency-Key": "viewer"}
    assert problem_code(await rest.post("/records", json=RECORD, headers=refused, role=Role.VIEWER)) == "FORBIDDEN"
    assert await IdempotentAnswer.all().count() == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ü"])
async def test_what_is_no_key_is_refused(rest: Rest, key: str) -> None:
    refused = await rest.post("/records", json=RECORD, headers={"Idempotency-Key": key.encode()})
    assert problem_code(refused) == "BAD_REQUEST"


async def test_of_two_at_the_same_time_one_is_done(rest: Rest, monkeypatch: pytest.MonkeyPatch, shared: Any) -> None:
    begun, free = asyncio.Event(), asyncio.Event()
    resolve = conflicts.resolve_conflict

    async def slow(*given: Any) -> Any:
        begun.set()
        await free.wait()
        return await resolve(*given)

    await send(context(shared), "account", "A1", domain="acme.com", industry="Banking")
    monkeypatch.setattr(conflicts, "resolve_conflict", slow)
    address = "/conflicts/01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10/resolve"
    first = asyncio.create_task(rest.post(address, headers=KEY))
    await begun.wait()
    assert problem_code(await rest.post(address, headers=KEY)) == "IDEMPOTENCY_KEY_IN_USE"
    free.set()
    assert problem_code(await first) == "NOT_FOUND"
    assert problem_code(await rest.post(address, headers=KEY)) == "NOT_FOUND"


async def test_a_request_whose_process_was_lost_may_come_again(rest: Rest, shared: Any) -> None:
    ctx = context(shared)
    answer_id = await idempotency.begin(ctx, "import-1", "a" * 64)
    with pytest.raises(IdempotencyKeyInUse):
        await idempotency.begin(ctx, "import-1", "a" * 64)
    await IdempotentAnswer.filter(id=answer_id).update(
        created_at=shared.now() - idempotency.LOST_AFTER - timedelta(seconds=1)
    )
    assert await idempotency.begin(ctx, "import-1", "a" * 64) != answer_id


async def test_an_answer_of_a_fault_of_ours_is_not_kept(shared: Any) -> None:
    ctx = context(shared)
    answer_id = await idempotency.begin(ctx, "import-1", "a" * 64)
    assert isinstance(answer_id, str)
    await idempotency.end(ctx, answer_id, idempotency.FirstAnswer(503, {}, ""))
    assert await IdempotentAnswer.all().count() == 0


async def test_answers_are_kept_a_day(rest: Rest, shared: Any) -> None:
    await rest.post("/records", json=RECORD, headers=KEY)
    await IdempotentAnswer.all().update(expires_at=shared.now())
    assert (await rest.post("/records", json=RECORD, headers=KEY)).json()["unchanged"] == 1
    await IdempotentAnswer.all().update(expires_at=shared.now())
    await prune({"services": shared})
    assert await IdempotentAnswer.all().count() == 0


async def test_an_erasure_takes_the_answers_that_name_the_record(rest: Rest, shared: Any) -> None:
    await rest.post("/records", json=RECORD, headers=KEY)
    other = {"records": [{"entityType": "account", "externalId": "A1%", "fields": {"domain": "beta.com"}}]}
    await rest.post("/records", json=other, headers={"Idempotency-Key": "import-2"})
    await work(shared)
    certificate = (await erase_record(context(shared), EntityType.ACCOUNT, "A1")).certificate
    assert {"where": "answers kept for idempotency keys", "count": 1} in certificate.removed
    (left,) = await IdempotentAnswer.all()
    assert left.idempotency_key == "import-2"
