"""Who calls: reads and checks the bearer token."""

import asyncio
import re
import time
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import structlog
from jwt.algorithms import HMACAlgorithm

from models.db.acting import act_for
from resolvers.context import Caller, Role
from resolvers.errors import Unauthenticated, Unavailable
from resolvers.revocation import COUNTS_WITHIN_SECONDS
from service.auth import jwks
from service.auth.accepted import AcceptedToken, AcceptedTokens
from service.auth.shared_secret import hmac_key, signing_secret
from service.settings import PREFIX, BadSettings, Settings

CLOCK_SKEW_SECONDS = 10  # for tokens issued by a clock ahead of ours; an expired one gets no extra time
MAX_TOKEN_CHARACTERS = 16 * 1024
MAX_ORGANIZATION = 128
MAX_USER = 255
MAX_EMAIL = 320

_BEARER = re.compile(r"bearer +([^\s,]+) *", re.IGNORECASE)
_NOT_VALID = "the token is not valid"
_ROLES = {role.value: role for role in Role}
_LONGEST_ROLE_SHOWN = 40  # characters, in a log
_LAST_EXPIRY = datetime(9999, 12, 31, tzinfo=UTC)

_log = structlog.get_logger(__name__)


class Authenticator:
    """Turns `Authorization` into a caller. Which algorithm counts follows from the configured key."""

    def __init__(
        self,
        *,
        shared: Sequence[str] = (),
        keys: jwks.KeySet | None = None,
        issuer: str | None = None,
        audience: str | None = None,
        organization_claim: str = "organizationId",
        is_revoked: Callable[[Caller], Awaitable[bool]] | None = None,
    ) -> None:
        if not shared and keys is None:
            raise ValueError("a shared secret or a key set is needed")
        self._shared = [hmac_key(secret) for secret in shared]
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._organization_claim = organization_claim
        self._is_revoked = is_revoked
        self._accepted = AcceptedTokens()

    async def caller(self, authorization: str | None) -> Caller:
        """The caller behind an `Authorization` header's value; from here on the log names the organization, and
        the database shows its rows alone.

        Raises Unauthenticated with a reason that says nothing about the key, and Unavailable while the
        signing keys cannot be read.
        """
        token = _bearer_token(authorization)
        accepted = await self._remembered(token) or await self._examined(token)
        expires_at = accepted.caller.expires_at
        assert expires_at is not None
        if expires_at.timestamp() <= time.time():
            self._accepted.drop(token)
            raise Unauthenticated("the token has expired")
        if await self._was_revoked(accepted):
            self._accepted.drop(token)
            raise Unauthenticated("the token was revoked")
        structlog.contextvars.bind_contextvars(organization=accepted.caller.organization_id)
        act_for(accepted.caller.organization_id)
        return accepted.caller

    async def _was_revoked(self, accepted: AcceptedToken) -> bool:
        """Whether it was, as found within the last COUNTS_WITHIN_SECONDS; who asks at one time shares a look."""
        if self._is_revoked is None or time.monotonic() < accepted.good_until:
            return False
        if accepted.looking is None or accepted.looking.done():
            accepted.looking = asyncio.create_task(self._look(self._is_revoked, accepted), name="look for a revocation")
        return await asyncio.shield(accepted.looking)

    @staticmethod
    async def _look(is_revoked: Callable[[Caller], Awaitable[bool]], accepted: AcceptedToken) -> bool:
        begun = time.monotonic()
        found = await is_revoked(accepted.caller)
        if not found:
            accepted.good_until = begun + COUNTS_WITHIN_SECONDS
        return found

    async def _remembered(self, token: str) -> AcceptedToken | None:
        """What was found before, as long as the key that signed the token is among the keys: they may be read anew."""
        known = self._accepted.get(token)
        if known is None or known.key is None or self._keys is None:
            return known
        try:
            keys = await self._keys.find(known.key.id, known.key.algorithm)
        except jwks.KeysUnavailable:
            keys = []
        if any(key is known.key for key in keys):
            return known
        self._accepted.drop(token)
        return None

    async def _examined(self, token: str) -> AcceptedToken:
        claims, key = await self._claims(token)
        caller = Caller(
            organization_id=_text(claims, self._organization_claim, MAX_ORGANIZATION),
            user=_text(claims, "sub", MAX_USER),
            role=role_of(claims.get("role")),
            email=_email(claims.get("email")),
            expires_at=_moment(claims["exp"]),
            token_id=_token_id(claims.get("jti")),
            issued_at=None if claims.get("iat") is None else _moment(claims["iat"]),
        )
        accepted = AcceptedToken(caller, key)
        self._accepted.add(token, accepted)
        return accepted

    async def _claims(self, token: str) -> tuple[dict[str, Any], jwks.SigningKey | None]:
        """The claims, and the key of the key set that signed them."""
        try:
            if self._keys is None:
                return self._signed_with_a_secret(token), None
            return await self._signed_with_a_key(token, self._keys)
        except jwks.KeysUnavailable:
            raise Unavailable("tokens cannot be checked at the moment") from None
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("the token has expired") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            raise Unauthenticated(_NOT_VALID) from None

    async def _signed_with_a_key(self, token: str, keys: jwks.KeySet) -> tuple[dict[str, Any], jwks.SigningKey]:
        """The claims; which algorithm counts follows from each key, the token only says which keys to try."""
        header = jwt.get_unverified_header(token)
        key_id, algorithm = header.get("kid"), str(header.get("alg"))
        tried: list[jwks.SigningKey] = []
        for failed in (False, True):
            for known in await keys.find(key_id, algorithm, failed=failed):
                if known in tried:
                    continue
                tried.append(known)
                try:
                    return self._decode(token, known.key, known.algorithm), known
                except jwt.InvalidSignatureError:
                    continue
            if key_id:
                break  # the key of that id has not made it, and another of the same id is not to be expected
        raise Unauthenticated(_NOT_VALID)

    def _signed_with_a_secret(self, token: str) -> dict[str, Any]:
        for secret in self._shared:
            try:
                return self._decode(token, secret, "HS256")
            except jwt.InvalidSignatureError:
                continue
        raise Unauthenticated(_NOT_VALID)

    def _decode(self, token: str, key: jwt.PyJWK | bytes, algorithm: str) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=self._issuer,
            audience=self._audience,
            leeway=CLOCK_SKEW_SECONDS,
            options={"require": ["exp", "sub"], "verify_aud": self._audience is not None},
        )


def _bearer_token(authorization: str | None) -> str:
    if not authorization:
        raise Unauthenticated("a bearer token is needed")
    if len(authorization) > MAX_TOKEN_CHARACTERS or not (match := _BEARER.fullmatch(authorization)):
        raise Unauthenticated("the Authorization header holds no bearer token")
    return match[1]


def _text(claims: Mapping[str, Any], claim: str, longest: int) -> str:
    value = claims.get(claim)
    if not isinstance(value, str) or not value.strip():
        raise Unauthenticated(f"the token has no {claim}")
    if len(value) > longest or any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
        raise Unauthenticated(f"the token's {claim} is not valid")
    return value


def _email(value: Any) -> str | None:
    try:
        return _text({"email": value}, "email", MAX_EMAIL)
    except Unauthenticated:
        return None


def _moment(value: Any) -> datetime:
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (ValueError, OverflowError, OSError):
        return _LAST_EXPIRY  # PyJWT has seen that it is a number in the future


def _token_id(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= MAX_USER else None


def role_of(value: Any) -> Role:
    """The strongest role that a claim names, in any case: one, or a list of them. Anything else may only read."""
    named = value if isinstance(value, list) else [value]
    roles = [_ROLES.get(name.strip().upper()) if isinstance(name, str) else None for name in named]
    unknown = [name for name, role in zip(named, roles, strict=True) if role is None and name is not None]
    if unknown:
        _log.warning("unknown role in a token", role=str(unknown[0])[:_LONGEST_ROLE_SHOWN])
    return max((role for role in roles if role is not None), key=list(Role).index, default=Role.VIEWER)


def build_authenticator(
    settings: Settings, is_revoked: Callable[[Caller], Awaitable[bool]] | None = None
) -> Authenticator:
    """The authenticator of these settings, which asks `is_revoked`. Makes the development secret when there is no key.

    Raises BadSettings.
    """
    shared: list[str] = []
    keys: jwks.KeySet | None = None
    if settings.jwt_jwks is None:
        shared = [signing_secret(settings)]
        if settings.jwt_secret_previous is not None:
            shared.append(settings.jwt_secret_previous.get_secret_value())
        for secret in shared:
            _refuse_public_key(secret)
    elif settings.jwt_jwks.startswith(("http://", "https://")):
        keys = jwks.from_url(settings.jwt_jwks)
    else:
        keys = jwks.from_file(Path(settings.jwt_jwks))
    return Authenticator(
        shared=shared,
        keys=keys,
        issuer=settings.jwt_issuer,
        audience=settings.needed_audience,
        organization_claim=settings.jwt_org_claim,
        is_revoked=is_revoked,
    )


def _refuse_public_key(secret: str) -> None:
    """A public key is known to everyone, so nothing may be signed with it as a secret."""
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)
    except jwt.InvalidKeyError:
        raise BadSettings(
            [f"{PREFIX}JWT_SECRET: this is a public key, not a shared secret; see {PREFIX}JWT_JWKS"]
        ) from None
