"""Where a command finds the records when it is told nothing: the running service, or else the data directory."""

from dataclasses import dataclass

import httpx
import typer

from resolvers.context import Role
from service.auth.shared_secret import SECRET_FILE, development_token
from service.cli.common import BAD_USE, fail
from service.embedded.private import ADDRESS_FILE
from service.sample.run import SAMPLE_ORGANIZATION
from service.settings import TOKEN_VARIABLE, Settings

PROBE_SECONDS = 2.0
TOKEN_SECONDS = 7 * 86_400  # a large file takes its time
_PROBED = "/v1/auto-enrichment/config"


@dataclass(frozen=True, slots=True)
class Target:
    """A running service (`url`, `token`), or else the stores of this installation, as an organization."""

    url: str | None = None
    token: str | None = None
    organization: str = ""


def find_target(settings: Settings, *, url: str | None, token: str | None, org: str | None, role: Role) -> Target:
    """What the options name; with the embedded stores what this machine has, as organization `sample` unless said.

    Ends the command where that is nothing.
    """
    if url is not None:
        if not token:
            fail(f"--url needs --token, or {TOKEN_VARIABLE}", code=BAD_USE)
        return Target(url, token)
    if org:
        return Target(organization=org)
    if settings.production or settings.database_url is not None or settings.redis_url is not None:
        fail("say where: --url and --token of a running service, or --org for the stores of this one", code=BAD_USE)
    running = _running_service(settings, token, role)
    target = running or Target(organization=SAMPLE_ORGANIZATION)
    where = f"the service at {running.url}" if running else f"the data directory {settings.data_dir}"
    whose = "the token's organization" if running and token else f"organization {SAMPLE_ORGANIZATION}"
    typer.echo(f"Using {where}, {whose}.", err=True)
    return target


def _running_service(settings: Settings, token: str | None, role: Role) -> Target | None:
    """The service that runs on this data directory, if one does and takes our token."""
    try:
        address = (settings.data_dir / ADDRESS_FILE).read_text("utf-8").strip()
    except OSError:
        return None
    if not token:
        if settings.jwt_jwks is not None or not _has_secret(settings):
            return None
        token = development_token(
            settings, organization_id=SAMPLE_ORGANIZATION, role=role, user="import", ttl_seconds=TOKEN_SECONDS
        )
    try:
        # Another service may listen there by now: ours takes the token that its own data directory has made.
        answer = httpx.get(
            address + _PROBED, headers={"Authorization": f"Bearer {token}"}, timeout=PROBE_SECONDS, trust_env=False
        )
    except httpx.HTTPError:
        return None
    return Target(address, token) if answer.is_success else None


def _has_secret(settings: Settings) -> bool:
    return settings.jwt_secret is not None or (settings.data_dir / SECRET_FILE).exists()
