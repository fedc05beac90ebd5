"""`auto-enrichment token`: makes a token for trying the service out."""

import re
from typing import Annotated

import typer

from resolvers.context import Role
from service.auth.shared_secret import development_token
from service.auth.tokens import MAX_ORGANIZATION, MAX_USER, role_of
from service.cli.common import BAD_USE, fail, read_settings

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(\d{1,9})([smhd]?)")


def token(
    org: Annotated[str, typer.Option(help="Organization the token is for.")] = "sample",
    role: Annotated[str, typer.Option(help="ADMIN, MANAGER, USER or VIEWER.")] = Role.ADMIN.value,
    sub: Annotated[str, typer.Option(help="User the token is for.")] = "developer",
    ttl: Annotated[str, typer.Option(help="How long it is good for: 900, 30m, 12h, 7d.")] = "12h",
    email: Annotated[str | None, typer.Option(help="E-mail of the user.")] = None,
) -> None:
    """Print a development token, signed with the shared secret of the settings or of DATA_DIR."""
    settings = read_settings()
    if settings.jwt_jwks is not None:
        fail("tokens are signed elsewhere: the settings hold public keys only (JWT_JWKS)")
    if settings.production and settings.jwt_secret is None:
        fail("there is no secret to sign with: set AUTO_ENRICHMENT_JWT_SECRET")
    if role_of(role).value != role.upper():
        fail(f"--role {role}: should be one of {', '.join(Role)}", code=BAD_USE)
    if not (0 < len(org.strip()) <= MAX_ORGANIZATION and 0 < len(sub.strip()) <= MAX_USER):
        fail("--org and --sub must not be empty or overlong", code=BAD_USE)
    typer.echo(
        development_token(
            settings, organization_id=org, role=role_of(role), user=sub, ttl_seconds=_seconds(ttl), email=email
        )
    )


def _seconds(ttl: str) -> int:
    match = _DURATION.fullmatch(ttl.strip())
    if match is None or not int(match[1]):
        fail(f"--ttl {ttl}: should be seconds, or a number with s, m, h or d", code=BAD_USE)
    return int(match[1]) * _UNITS[match[2]]
