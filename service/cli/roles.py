"""`auto-enrichment roles`: PostgreSQL roles for the API and the workers, and policies that bind the API's."""

from typing import Annotated

import typer

from models.db.health import UNUSABLE
from models.db.migrate import patiently
from models.db.row_security import CannotSeparate, Roles, separate
from models.db.schema_state import SchemaRefused, require_current
from service.cli.common import BAD_USE, fail, read_settings, run
from service.runtime import CannotStart, open_database
from service.settings import PREFIX, Settings


def roles(
    api: Annotated[
        str, typer.Option(help="Role of the API, which sees one organization at a time.")
    ] = "auto_enrichment_api",
    worker: Annotated[
        str, typer.Option(help="Role of workers, which see all organizations.")
    ] = "auto_enrichment_worker",
) -> None:
    """Make a role for the API and one for workers on PostgreSQL, and bind the API's to one organization at a time."""
    settings = read_settings()
    if settings.database_pooler:
        fail(
            f"roles needs PostgreSQL itself: set {PREFIX}DATABASE_URL to it, without {PREFIX}DATABASE_POOLER",
            code=BAD_USE,
        )
    for name in run(lambda _: _separate(settings, Roles(api, worker))):
        typer.echo(f"protected {name}")
    typer.echo(f"{api} sees one organization at a time, {worker} sees all.")
    typer.echo("Give them passwords (\\password in psql), and each process the DATABASE_URL of its role.")


async def _separate(settings: Settings, wanted: Roles) -> list[str]:
    async with open_database(settings):
        try:
            await require_current()
            return await patiently(separate, wanted)
        except (CannotSeparate, SchemaRefused) as error:
            raise CannotStart(str(error)) from error
        except UNUSABLE as error:
            raise CannotStart(f"the role of {PREFIX}DATABASE_URL may not do this: {error}") from error
