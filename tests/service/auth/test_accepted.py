"""A token that was good is good again without a look at its signature, and never longer than its time and its key."""

import time
from datetime import UTC, datetime

import jwt
import pytest

from resolvers.context import Caller, Role
from resolvers.errors import Unauthenticated
from service.auth import jwks
from service.auth.accepted import AcceptedToken, AcceptedTokens
from service.auth.tokens import Authenticator
from tests.support.tokens import EC_KEY, RSA_KEY, SECRET, Keys, bearer, jwk, signed

CALLER = Caller("acme", "ann", Role.USER, expires_at=datetime(2099, 1, 1, tzinfo=UTC))


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signatures were checked."""
    seen: list[str] = []
    decode = jwt.decode

    def counted(token: str, *args: object, **options: object) -> object:
        seen.append(token)
        return decode(token, *args, **options)  # type: ignore[arg-type] # handed on as they came

    monkeypatch.setattr(jwt, "decode", counted)
    return seen


async def test_a_signature_is_checked_once_and_the_caller_is_the_same(checked: list[str]) -> None:
    authenticator = Authenticator(shared=[SECRET])
    header = bearer(role="MANAGER")
    first = await authenticator.caller(header)
    assert [await authenticator.caller(header) for _ in range(3)] == [first] * 3
    assert len(checked) == 1
    assert (await authenticator.caller(bearer(role="ADMIN"))).role is Role.ADMIN
    assert len(checked) == 2


async def test_a_remembered_token_is_refused_from_the_second_it_expires_on(monkeypatch: pytest.MonkeyPatch) -> None:
    authenticator = Authenticator(shared=[SECRET])
    expires = int(time.time()) + 60
    header = bearer(exp=expires)
    await authenticator.caller(header)
    monkeypatch.setattr(time, "time", lambda: float(expires))
    with pytest.raises(Unauthenticated, match="expired"):
        await authenticator.caller(header)


async def test_what_was_refused_is_checked_again(checked: list[str]) -> None:
    authenticator = Authenticator(shared=[SECRET])
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await authenticator.caller(bearer(organizationId=" ", exp=2**33))
    assert len(checked) == 2


async def test_a_remembered_token_is_refused_once_its_key_is_gone(checked: list[str]) -> None:
    keys = Keys(jwk(RSA_KEY, "k1"))
    authenticator = Authenticator(keys=keys.set)
    header = signed(RSA_KEY, "RS256", "k1", exp=2**33)
    for _ in range(3):
        await authenticator.caller(header)
    assert len(checked) == 1
    keys.keys = (jwk(EC_KEY, "k2"),)
    await authenticator.caller(header)  # the keys are not old yet
    keys.time += jwks.MAX_AGE_SECONDS + 1
    with pytest.raises(Unauthenticated):
        await authenticator.caller(header)


async def test_keys_that_were_read_anew_check_a_remembered_token_again(checked: list[str]) -> None:
    keys = Keys(jwk(RSA_KEY, "k1"))
    authenticator = Authenticator(keys=keys.set)
    header = signed(RSA_KEY, "RS256", "k1", exp=2**33)
    await authenticator.caller(header)
    keys.time += jwks.MAX_AGE_SECONDS + 1
    for _ in range(2):
        await authenticator.caller(header)
    assert (len(checked), keys.loads) == (2, 2)


def test_only_so_many_tokens_are_remembered_those_that_came_last() -> None:
    kept = AcceptedTokens(most=2)
    for token in ("a", "b"):
        kept.add(token, AcceptedToken(CALLER, None))
    assert kept.get("a") is not None
    kept.add("c", AcceptedToken(CALLER, None))
    assert [token for token in "abc" if kept.get(token)] == ["a", "c"]
