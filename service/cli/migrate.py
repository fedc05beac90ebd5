"""`auto-enrichment migrate`: brings the database to the newest schema."""

import typer

from models.db.migrate import migrate as apply_migrations
from models.db.schema_state import SchemaRefused
from service.cli.common import read_settings, run
from service.runtime import CannotStart, open_database
from service.settings import Settings


def migrate() -> None:
    """Apply the migrations that the database lacks. Safe to run twice, and from two places at once."""
    settings = read_settings()
    applied = run(lambda _: _migrate(settings))
    for name in applied:
        typer.echo(f"applied {name}")
    typer.echo("The schema is current." if applied else "The schema was current already.")


async def _migrate(settings: Settings) -> list[str]:
    async with open_database(settings):
        try:
            return await apply_migrations()
        except SchemaRefused as error:
            raise CannotStart(str(error)) from error
