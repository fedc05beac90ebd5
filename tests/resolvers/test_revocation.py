"""Tokens that are refused before they expire: one by its id, or all of a user that were issued before a moment."""

from datetime import UTC, datetime, timedelta

import pytest
from arq.connections import ArqRedis

from models.audit_list import AuditFilter
from resolvers.audit import list_audit
from resolvers.context import Caller, Context, Role
from resolvers.errors import BadRequest, Forbidden, ValidationFailed
from resolvers.paging import PageArgs
from resolvers.revocation import is_revoked, revoke_tokens
from tests.support.factories import context, services

pytestmark = pytest.mark.usefixtures("db")

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def ctx(redis: ArqRedis) -> Context:
    return context(services(redis, now=lambda: NOW))


def caller(user: str = "eve", *, org: str = "acme", jti: str | None = None, issued: datetime | None = NOW) -> Caller:
    return Caller(org, user, Role.USER, token_id=jti, issued_at=issued)


async def test_one_token_is_revoked_by_its_id_and_no_other(ctx: Context) -> None:
    await revoke_tokens(ctx, jti="t-1")
    await revoke_tokens(ctx, jti="t-1")
    assert await is_revoked(caller(jti="t-1"))
    assert not await is_revoked(caller(jti="t-2"))
    assert not await is_revoked(caller())
    assert not await is_revoked(caller(jti="t-1", org="rival"))


async def test_all_tokens_of_a_user_from_before_are_revoked(ctx: Context) -> None:
    before, after = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
    found = await revoke_tokens(ctx, user="eve")
    assert (found.user, found.issued_before, found.revoked_at) == ("eve", NOW, NOW)
    assert await is_revoked(caller(issued=before, jti="any"))
    assert await is_revoked(caller(issued=None))
    assert not await is_revoked(caller(issued=after))
    assert not await is_revoked(caller("ann", issued=before))
    assert not await is_revoked(caller(issued=before, org="rival"))


async def test_of_two_moments_the_later_one_counts(ctx: Context) -> None:
    between = NOW - timedelta(minutes=30)
    await revoke_tokens(ctx, user="eve", issued_before=NOW - timedelta(hours=1))
    assert not await is_revoked(caller(issued=between))
    await revoke_tokens(ctx, user="eve")
    await revoke_tokens(ctx, user="eve", issued_before=NOW - timedelta(hours=1))
    assert await is_revoked(caller(issued=between))


@pytest.mark.parametrize(
    ("named", "path"),
    [
        ({}, "jti"),
        ({"jti": "t-1", "user": "eve"}, "jti"),
        ({"jti": "t-1", "issued_before": NOW}, "issuedBefore"),
        ({"user": "eve", "issued_before": NOW + timedelta(minutes=1)}, "issuedBefore"),
    ],
)
async def test_what_names_no_tokens_is_refused(ctx: Context, named: dict[str, object], path: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        await revoke_tokens(ctx, **named)  # type: ignore[arg-type]  # as it comes from outside
    assert [fault.path for fault in refusal.value.faults] == [path]


async def test_a_name_that_no_token_can_have_is_refused(ctx: Context) -> None:
    with pytest.raises(ValidationFailed):
        await revoke_tokens(ctx, user="e" * 256)


async def test_only_an_admin_revokes_and_it_is_audited(redis: ArqRedis, ctx: Context) -> None:
    with pytest.raises(Forbidden):
        await revoke_tokens(context(ctx.services, role=Role.MANAGER), jti="t-1")
    await revoke_tokens(ctx, user="eve")
    [entry] = (await list_audit(ctx, AuditFilter(), PageArgs(first=10))).items
    assert (entry.action, entry.subject, entry.actor) == ("tokens.revoked", "eve", "ann")
    assert entry.details == {"issuedBefore": NOW.isoformat()}
