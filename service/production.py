"""What production must not run with: weak secrets, stores of one process. What should not stay as it is."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from itertools import pairwise
from math import log2

from pydantic import SecretStr

from service.known_secrets import is_known
from service.settings import ANY_AUDIENCE, PREFIX, BadSettings, Settings

MIN_SECRET_BYTES = 32
MIN_SECRET_BITS = 60  # as `_variety_bits` counts
AUDIENCE_NEEDED_FROM = "0.4.0 (not before June 2027)"  # the release that refuses to start without an audience
FORMER_PROXIES = "FORWARDED_ALLOW_IPS"  # of uvicorn, by which 0.1.0 believed proxies


def refuse_unsafe(settings: Settings, *, embedded: bool = False) -> None:
    """Raises BadSettings for what production must not run with. Anything goes in development."""
    if not settings.production:
        return
    faults = [*_weak_keys(settings), *_embedded_stores(settings)]
    if embedded:
        faults.append(f"--embedded is for development: {PREFIX}ENVIRONMENT is production")
    if faults:
        raise BadSettings(faults)


def remarks(settings: Settings, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """What is still taken and should not stay so, one sentence each: in production, and of variables of before."""
    return (*_audience(settings), *_former(environ))


def _audience(settings: Settings) -> Iterator[str]:
    if settings.production and settings.jwt_audience is None:
        yield (
            f"{PREFIX}JWT_AUDIENCE is not set: tokens that were made for other services of the same issuer are taken. "
            f"Set the audience of your tokens, or `{ANY_AUDIENCE}`; from {AUDIENCE_NEEDED_FROM} on production will not "
            "start without"
        )


def _former(environ: Mapping[str, str]) -> Iterator[str]:
    if FORMER_PROXIES in environ:
        yield (
            f"{FORMER_PROXIES} does nothing any more: name the proxies whose X-Forwarded-For is believed in "
            f"{PREFIX}TRUSTED_PROXIES, and remove it"
        )


def unnamed_proxies(settings: Settings) -> Iterator[str]:
    """A sentence where production listens to other machines, and believes no proxy on them."""
    usual = type(settings).model_fields["trusted_proxies"].default
    if settings.production and settings.trusted_proxies == usual and not _is_this_machine(settings.host):
        yield (
            f"{PREFIX}TRUSTED_PROXIES names this machine alone: behind a proxy or an ingress on another, or outside "
            "the container, all clients count as one address. Name the proxy's address or network, or `none` where "
            "clients connect directly"
        )


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _weak_keys(settings: Settings) -> Iterator[str]:
    if settings.jwt_jwks is None and settings.jwt_secret is None:
        yield f"{PREFIX}JWT_SECRET: production needs a secret, or {PREFIX}JWT_JWKS"
    for name in ("jwt_secret", "jwt_secret_previous"):
        secret: SecretStr | None = getattr(settings, name)
        if secret is not None and (reason := weakness(secret.get_secret_value())):
            yield f"{PREFIX}{name.upper()}: {reason}"
    if settings.jwt_jwks and settings.jwt_jwks.startswith("http://"):
        yield f"{PREFIX}JWT_JWKS: production fetches keys over https only"


def _embedded_stores(settings: Settings) -> Iterator[str]:
    if settings.database_url is None or settings.database_url.get_secret_value().startswith("sqlite"):
        yield f"{PREFIX}DATABASE_URL: production needs PostgreSQL, postgresql://…"
    if settings.redis_url is None:
        yield f"{PREFIX}REDIS_URL: production needs a Redis of its own, redis://…"


def weakness(secret: str) -> str | None:
    """Why a signing secret is too easy to guess, or None."""
    example = "for example from `openssl rand -hex 32`"
    if len(secret.encode()) < MIN_SECRET_BYTES:
        return f"a secret has at least {MIN_SECRET_BYTES} bytes ({example})"
    if is_known(secret):
        return f"this secret is public: it stands in examples, or its words do ({example})"
    if _variety_bits(secret) < MIN_SECRET_BITS or _repeats(secret) or _counts(secret):
        return f"a secret is not made of few characters, of repetitions or of rows of characters ({example})"
    return None


def _variety_bits(secret: str) -> float:
    """How hard a secret is to guess at most, in bits, by how varied it is.

    Each different group of three characters counts as one character of the secret's own alphabet: a character or a
    short piece over and over has few of them. A random secret of 32 hexadecimal digits has more than 80.
    """
    groups = {secret[start : start + 3] for start in range(len(secret) - 2)}
    return len(groups) * _entropy(secret)


def _repeats(secret: str) -> bool:
    """Whether it is one piece over and over, whatever the piece."""
    return any(secret.startswith(secret[length:]) for length in range(1, len(secret) // 2 + 1))


def _counts(secret: str) -> bool:
    """Whether most characters follow the one before, up or down: `0123456789`, `zyxw`."""
    steps = [abs(ord(after) - ord(before)) for before, after in pairwise(secret)]
    return sum(step <= 1 for step in steps) * 2 > len(steps)


def _entropy(text: str) -> float:
    """Shannon's, in bits for each character."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * log2(share) for share in shares)
