"""`auto-enrichment doctor`: says what works, what should not stay so, and what does not work."""

import typer

from service.cli.common import REFUSED, read_settings, run
from service.doctor import Verdict, examine
from service.settings import Settings


def doctor() -> None:
    """Look at settings, stores, workers, queue and providers, and say what to see to; changes nothing."""
    settings = read_settings()
    if run(lambda _: _examine(settings)):
        raise typer.Exit(REFUSED)


async def _examine(settings: Settings) -> bool:
    """Whether anything does not work."""
    broken = False
    async for finding in examine(settings):
        broken |= finding.verdict is Verdict.FAULT
        typer.echo(f"{finding.verdict:<9}{finding.subject:<11}{finding.words}")
    return broken
