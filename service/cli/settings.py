"""`auto-enrichment settings`: shows every setting, its value and what it is for."""

import sys

import typer
from rich.console import Console
from rich.table import Table

from service.cli.common import read_settings
from service.provider_settings import listed
from service.settings_report import described


def show_settings() -> None:
    """List the settings as they are now; secrets are hidden."""
    settings = read_settings()
    rows = [*described(settings), *listed(settings)]
    if not sys.stdout.isatty():
        for name, value, description in rows:
            typer.echo(f"{name}={value}  # {description}")
        return
    table = Table("Variable", "Value", "What it is for", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
