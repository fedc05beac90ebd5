"""Signing in to ZoomInfo: the forms of its key, and tokens, which are used until they expire."""

import asyncio
import base64
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from providers.api import ProviderError
from providers.http.adapter import Http, Reply
from providers.http.replies import account_of, at, failure, json_or_nothing, positive, retry_after, text

SCOPES = "api:data:contact api:data:company"
LEGACY_LOGIN = "/authenticate"
_LEGACY = "legacy:"
_EARLIER = 60.0  # seconds before its end that a token is renewed, so that it does not end on the way
_JWT_SECONDS = 55 * 60.0  # it ends after 60 minutes
_TOKEN_SECONDS = 3600.0  # where the answer does not say
_MOST_ACCOUNTS = 1000
_WORD = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a key holds: a user with a secret to sign in by, or a token that is ready."""

    legacy: bool  # of the Enterprise API with its JWT; otherwise of the GTM API
    user: str = ""
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def read_key(key: str) -> Credentials:
    """`client_id:client_secret` or a bearer token (GTM); `legacy:username:password` or `legacy:token`.

    Raises ProviderError `bad_key` for another form.
    """
    legacy = key.startswith(_LEGACY)
    user, colon, secret = key.removeprefix(_LEGACY).strip().partition(":")
    if not colon and user:
        return Credentials(legacy, token=user.removeprefix("Bearer ").strip())
    if user and secret:
        return Credentials(legacy, user, secret)
    raise ProviderError(
        "bad_key", "a ZoomInfo key is client_id:client_secret, a token, or legacy:username:password", retryable=False
    )


@dataclass(slots=True)
class _Account:
    token: str = ""
    ends_at: float = 0.0
    signing_in: asyncio.Lock = field(default_factory=asyncio.Lock)


class Tokens:
    """The tokens of all accounts for which this process calls."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    async def token(self, http: Http) -> str:
        """A token for the account, got by its key if none is at hand. Raises ProviderError."""
        credentials = read_key(http.key)
        if credentials.token:
            return credentials.token
        account = self._account(http)
        async with account.signing_in:
            if self._clock() >= account.ends_at:
                account.token, seconds = await _sign_in(credentials, http)
                account.ends_at = self._clock() + seconds
            return account.token

    def renewable(self, http: Http, refused: str) -> bool:
        """Forget a token that was refused; whether another can be got."""
        if read_key(http.key).token:
            return False
        account = self._account(http)
        if account.token == refused:
            account.ends_at = 0.0
        return True

    def _account(self, http: Http) -> _Account:
        name = account_of(http)
        if name not in self._accounts and len(self._accounts) >= _MOST_ACCOUNTS:
            self._accounts.pop(next(iter(self._accounts)))
        return self._accounts.setdefault(name, _Account())


async def _sign_in(credentials: Credentials, http: Http) -> tuple[str, float]:
    """A new token and for how many seconds to use it."""
    try:
        reply = await (_by_password if credentials.legacy else _by_client)(credentials, http)
    except ProviderError as error:
        raise _uncharged(error, "signing in: ") from None
    body = json_or_nothing(reply)
    token = text(at(body, "jwt" if credentials.legacy else "access_token"))
    if reply.status != 200 or token is None:
        raise _not_signed_in(reply, body)
    if credentials.legacy:
        return token, _JWT_SECONDS
    return token, max((positive(at(body, "expires_in")) or _TOKEN_SECONDS) - _EARLIER, 1.0)


def _uncharged(error: ProviderError, before: str = "") -> ProviderError:
    """The same error of a call that looked nothing up, so that nothing can have been charged."""
    return ProviderError(
        error.code,
        before + error.message,
        retryable=error.retryable,
        retry_after_seconds=error.retry_after_seconds,
    )


async def _by_client(credentials: Credentials, http: Http) -> Reply:
    basic = base64.b64encode(f"{credentials.user}:{credentials.secret}".encode("utf-8", "replace")).decode()
    return await http.send(
        "POST",
        "/oauth2/default/v1/token",
        base="login",
        form={"grant_type": "client_credentials", "scope": SCOPES},
        headers={"Authorization": f"Basic {basic}", "Accept": "application/json"},
    )


async def _by_password(credentials: Credentials, http: Http) -> Reply:
    return await http.send(
        "POST",
        LEGACY_LOGIN,
        base="legacy",
        json={"username": credentials.user, "password": credentials.secret},
        headers={"Accept": "application/json"},
    )


def _not_signed_in(reply: Reply, body: object) -> ProviderError:
    if reply.status in {200, 400, 401, 403}:
        word = text(at(body, "error")) or ""  # OAuth's own, such as invalid_client and invalid_scope
        why = word if _WORD.fullmatch(word) else str(reply.status)
        message = f"ZoomInfo did not let this key sign in ({why})"
        return ProviderError("invalid_answer" if reply.status == 200 else "bad_key", message, retryable=False)
    wait = retry_after(reply, time.time()) or (1.0 if reply.status == 429 else None)
    return _uncharged(failure("ZoomInfo's sign-in", reply, wait=wait))
