"""The commands of `auto-enrichment`, by name."""

from typing import Annotated

import typer

from models.db.version import VERSION
from service.cli.export_records import export_records
from service.cli.import_records import import_records
from service.cli.migrate import migrate
from service.cli.score import score
from service.cli.serve import serve
from service.cli.settings import show_settings
from service.cli.token import token
from service.cli.worker import worker

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Fills and refreshes CRM leads, contacts and accounts.",
)
app.command("serve")(serve)
app.command("worker")(worker)
app.command("migrate")(migrate)
app.command("token")(token)
app.command("import")(import_records)
app.command("export")(export_records)
app.command("settings")(show_settings)
app.command("score")(score)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(VERSION)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None: ...
