"""`auto-enrichment migrate`: brings the database to the newest schema."""

from typing import Annotated

import typer

from models.db.distribute import MOST_PARTITIONS, CannotDistribute, distribute
from models.db.migrate import migrate as apply_migrations
from models.db.migration_file import Phase
from models.db.schema_state import SchemaRefused, pending
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
    before: Annotated[
        bool, typer.Option("--before", help="Only what runs before the new version starts, beside the old one.")
    ] = False,
    after: Annotated[
        bool, typer.Option("--after", help="Only what runs once no process of the old version is left.")
    ] = False,
) -> None:
    """Apply the migrations that the database lacks. Safe to run twice, and from two places at once."""
    settings = read_settings()
    if settings.database_pooler:
        fail(
            f"migrate needs PostgreSQL itself: set {PREFIX}DATABASE_URL to it, without {PREFIX}DATABASE_POOLER",
            code=BAD_USE,
        )
    if before and after:
        fail("--before and --after are the two halves of an upgrade: name one, or none for both", code=BAD_USE)
    phase = Phase.BEFORE if before else Phase.AFTER if after else None
    applied, left = run(lambda _: _migrate(settings, partitions, phase))
    for name in applied:
        typer.echo(f"applied {name}")
    typer.echo("The schema is current." if applied else "The schema was current already.")
    if left:
        typer.echo(f"{len(left)} migration(s) wait for `auto-enrichment migrate --after`, first {left[0]}.")


async def _migrate(settings: Settings, partitions: int, phase: Phase | None) -> tuple[list[str], list[str]]:
    """The names of what was applied, and of what runs after and was not."""
    async with open_database(settings):
        try:
            applied = await apply_migrations(phase=phase)
            if partitions:
                await distribute(partitions)
        except (SchemaRefused, CannotDistribute) as error:
            raise CannotStart(str(error)) from error
        return applied, await pending(Phase.AFTER)
