"""`auto-enrichment revoke`: refuses tokens of an organization before they expire."""

from datetime import datetime
from typing import Annotated

import typer

from models.db.acting import act_for
from resolvers.context import Caller, Context, Role
from resolvers.errors import OperationError
from resolvers.revocation import COUNTS_WITHIN_SECONDS, Revocation, revoke_tokens
from service.cli.common import BAD_USE, fail, read_settings, run
from service.runtime import Runtime
from service.settings import Settings


def revoke(
    org: Annotated[str, typer.Option(help="Organization the tokens are for.")],
    jti: Annotated[str | None, typer.Option(help="Id of the one token.")] = None,
    user: Annotated[str | None, typer.Option(help="User (`sub`) whose tokens these are.")] = None,
    before: Annotated[
        datetime | None, typer.Option(help="Those of the user that were issued before this, in UTC; default: now.")
    ] = None,
) -> None:
    """Refuse tokens of an organization before they expire: one, or all of a user."""
    settings = read_settings()
    if (jti is None) == (user is None):
        fail("name the id of one token (--jti), or a user (--user)", code=BAD_USE)
    try:
        run(lambda _: _revoke(settings, org, jti, user, before))
    except OperationError as error:
        fail(error.message)
    typer.echo(f"Refused everywhere within {COUNTS_WITHIN_SECONDS:.0f} seconds, open connections within a minute.")


async def _revoke(
    settings: Settings, org: str, jti: str | None, user: str | None, before: datetime | None
) -> Revocation:
    async with Runtime(settings, shares=True, migrates=settings.database_url is None) as runtime:
        act_for(org)
        ctx = Context(runtime.services, Caller(org, "operator", Role.ADMIN), "command")
        return await revoke_tokens(ctx, jti=jti, user=user, issued_before=before)
