"""The commands of `auto-enrichment`, by name. The modules of a command are imported when it is named."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated

import typer

from models.db.version import VERSION


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command is, and the line that `--help` shows for it: the first of its function's docstring."""

    module: str
    function: str
    line: str


COMMANDS = {
    "serve": Command("serve", "serve", "Serve the API until Ctrl-C."),
    "worker": Command(
        "worker",
        "worker",
        "Run enrichment jobs until Ctrl-C or SIGTERM; what is in flight is finished or handed back.",
    ),
    "migrate": Command(
        "migrate",
        "migrate",
        "Apply the migrations that the database lacks. Safe to run twice, and from two places at once.",
    ),
    "roles": Command(
        "roles",
        "roles",
        "Make a role for the API and one for workers on PostgreSQL, and bind the API's to one organization at a time.",
    ),
    "token": Command(
        "token", "token", "Print a development token, signed with the shared secret of the settings or of DATA_DIR."
    ),
    "revoke": Command(
        "revoke", "revoke", "Refuse tokens of an organization before they expire: one, or all of a user."
    ),
    "doctor": Command(
        "doctor",
        "doctor",
        "Look at settings, stores, workers, queue and providers, and say what to see to; changes nothing.",
    ),
    "import": Command(
        "import_records",
        "import_records",
        "Send a file of records; repeating it is safe, as what is unchanged starts nothing.",
    ),
    "export": Command(
        "export_records",
        "export_records",
        "Write every record with its canonical fields, and what of it cannot be read.",
    ),
    "retention": Command(
        "retention",
        "retention",
        "Show what is kept how long, and what of all organizations would go now; deletes nothing.",
    ),
    "settings": Command("settings", "show_settings", "List the settings as they are now; secrets are hidden."),
    "score": Command(
        "score",
        "score",
        "Print how many records were matched, values given and conflicts raised rightly, wrongly or not at all.",
    ),
}


def command_line(arguments: Sequence[str]) -> typer.Typer:
    """The command line for these arguments: the command that they name as it is, the others as `--help` shows them."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Fills and refreshes CRM leads, contacts and accounts.",
        callback=_root,
    )
    named = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, command in COMMANDS.items():
        if name == named:
            module = import_module(f"service.cli.{command.module}")
            app.command(name)(getattr(module, command.function))
        else:
            app.command(name, help=command.line)(_listed)
    return app


def _listed() -> None:
    """A command that was not named, and so never runs."""


def _show_version(value: bool) -> None:
    if value:
        typer.echo(VERSION)
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None: ...
