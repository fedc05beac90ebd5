"""A revoked token is refused at every door within seconds, and connections that are open end."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from resolvers import revocation
from resolvers.context import Caller, Context, Role
from resolvers.errors import Unauthenticated
from resolvers.revocation import is_revoked, revoke_tokens, until_refused
from service.auth.tokens import Authenticator
from tests.support.factories import context, services
from tests.support.rest_client import SECRET, token
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def ctx(redis: ArqRedis) -> Context:
    return context(services(redis))


def bearer(**claims: Any) -> str:
    return f"Bearer {token(iat=int(time.time()) - 60, **claims)}"


async def test_a_token_that_was_good_is_refused_once_it_is_looked_at_again(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    authenticator = Authenticator(shared=[SECRET], is_revoked=is_revoked)
    eves, anns = bearer(user="eve", jti="t-1"), bearer(jti="t-2")
    assert (await authenticator.caller(eves)).token_id == "t-1"
    await revoke_tokens(ctx, user="eve")
    assert (await authenticator.caller(eves)).user == "eve"  # it was looked at just before
    monkeypatch.setattr("service.auth.tokens.time.monotonic", lambda now=time.monotonic: now() + 6)
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="revoked"):
            await authenticator.caller(eves)
    assert (await authenticator.caller(anns)).user == "ann"


async def test_a_new_process_refuses_it_at_once(ctx: Context) -> None:
    await revoke_tokens(ctx, jti="t-1")
    with pytest.raises(Unauthenticated, match="revoked"):
        await Authenticator(shared=[SECRET], is_revoked=is_revoked).caller(bearer(jti="t-1"))


async def test_requests_at_one_time_share_a_look(ctx: Context) -> None:
    looks = 0

    async def counted(caller: Caller) -> bool:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return await is_revoked(caller)

    authenticator = Authenticator(shared=[SECRET], is_revoked=counted)
    known = bearer()
    await asyncio.gather(*(authenticator.caller(known) for _ in range(50)))
    assert looks == 1


async def test_an_open_connection_ends(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocation, "LOOK_SECONDS", 0.01)
    open_connection = asyncio.create_task(until_refused(Caller("acme", "eve", Role.USER, token_id="t-1")))
    await asyncio.sleep(0.05)
    assert not open_connection.done()
    await revoke_tokens(ctx, jti="t-1")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await open_connection


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_look_that_fails_or_hangs_keeps_no_connection_open_beyond_its_token(
    monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    async def failing(_: Caller) -> bool:
        if hangs:
            await asyncio.sleep(PATIENCE_SECONDS)
        raise ValueError("a deadlock, say")

    monkeypatch.setattr(revocation, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(revocation, "is_revoked", failing)
    expires = datetime.now(UTC) + timedelta(seconds=0.3)
    async with asyncio.timeout(PATIENCE_SECONDS / 2):
        await until_refused(Caller("acme", "eve", Role.USER, expires_at=expires))
    assert datetime.now(UTC) >= expires
