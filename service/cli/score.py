"""`auto-enrichment score`: how well the built-in providers do on records whose right answers are known."""

from pathlib import Path
from typing import Annotated

import typer

from service.score.score import main


def score(
    accounts: Annotated[Path | None, typer.Option(help="Accounts, as CSV.", exists=True)] = None,
    accounts_truth: Annotated[Path | None, typer.Option(help="Their right answers.", exists=True)] = None,
    leads: Annotated[Path | None, typer.Option(help="Leads, as CSV.", exists=True)] = None,
    leads_truth: Annotated[Path | None, typer.Option(help="Their right answers.", exists=True)] = None,
    misses: Annotated[bool, typer.Option("--misses", help="List each conflict missed or needless.")] = False,
) -> None:
    """Print how many records were matched, values given and conflicts raised rightly, wrongly or not at all."""
    code = main(accounts, accounts_truth, leads, leads_truth, misses=misses)
    if code:
        raise typer.Exit(code)
