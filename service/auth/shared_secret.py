"""The shared secret that tokens are signed with, and tokens of it for trying the service out."""

import os
import secrets
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import jwt

from resolvers.context import Role
from service.settings import Settings

SECRET_FILE = "jwt-secret"  # noqa: S105 (a file name)
_SECRET_BYTES = 32  # of a key for HMAC-SHA256


def hmac_key(secret: str) -> bytes:
    """The key's bytes, filled up with zeros to 32, which HMAC does anyway: signatures stay the same."""
    return secret.encode().ljust(_SECRET_BYTES, b"\0")


def signing_secret(settings: Settings) -> str:
    """The shared secret: the setting, or the development secret that is made once and kept in DATA_DIR."""
    if settings.jwt_secret is not None:
        return settings.jwt_secret.get_secret_value()
    return kept_secret(settings.data_dir / SECRET_FILE)


def kept_secret(path: Path) -> str:
    """The secret in this file, made on the first use."""
    if not path.exists():
        _make_secret(path)
    return path.read_text("ascii").strip()


def _make_secret(path: Path) -> None:
    """Write a new secret, whole and readable to its owner alone, unless another process was first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, encoding="ascii") as draft:
        draft.write(secrets.token_hex(_SECRET_BYTES) + "\n")
        draft.flush()
        with suppress(FileExistsError):
            os.link(draft.name, path)


def development_token(
    settings: Settings,
    *,
    organization_id: str,
    role: Role,
    user: str,
    ttl_seconds: int,
    email: str | None = None,
) -> str:
    """A signed token for trying the service out. Needs the shared secret: a key set only checks."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "sub": user,
        settings.jwt_org_claim: organization_id,
        "role": role.value,
        "iat": now,
        "exp": now + ttl_seconds,
    }
    optional = {"email": email, "iss": settings.jwt_issuer, "aud": settings.needed_audience}
    claims |= {claim: value for claim, value in optional.items() if value is not None}
    return jwt.encode(claims, hmac_key(signing_secret(settings)), algorithm="HS256")
