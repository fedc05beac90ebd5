"""`auto-enrichment migrate`: brings the database to the newest schema."""

from typing import Annotated

import typer

from models.db.distribute import MOST_PARTITIONS, CannotDistribute, distribute
from models.db.migrate import migrate as apply_migrations
from models.db.schema_state import SchemaRefused
from service.cli.common import BAD_USE, fail, read_settings, run
from service.runtime import CannotStart, open_database
from service.settings import PREFIX, Settings


def migrate(
    partitions: Annotated[
        int,
        typer.Option(
            help="On an empty PostgreSQL: spread each organization's rows over so many hash partitions.",
            min=0,
            max=MOST_PARTITIONS,
        ),
    ] = 0,
) -> None:
    """Apply the migrations that the database lacks. Safe to run twice, and from two places at once."""
    settings = read_settings()
    if settings.database_pooler:
        fail(
            f"migrate needs PostgreSQL itself: set {PREFIX}DATABASE_URL to it, without {PREFIX}DATABASE_POOLER",
            code=BAD_USE,
        )
    applied = run(lambda _: _migrate(settings, partitions))
    for name in applied:
        typer.echo(f"applied {name}")
    typer.echo("The schema is current." if applied else "The schema was current already.")


async def _migrate(settings: Settings, partitions: int) -> list[str]:
    async with open_database(settings):
        try:
            applied = await apply_migrations()
            if partitions:
                await distribute(partitions)
        except (SchemaRefused, CannotDistribute) as error:
            raise CannotStart(str(error)) from error
        return applied
