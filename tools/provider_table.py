"""Writes the README's table of providers from what they declare of themselves: `python -m tools.provider_table`."""

import re
from collections.abc import Iterator
from pathlib import Path

from providers.api import ProviderInfo
from providers.registry import ProviderSettings, declared_providers, default_registry

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- providers: `make readme` writes this table -->", "<!-- end of providers -->"

_PLURALS = {"lead": "leads", "contact": "contacts", "account": "accounts"}


def table() -> str:
    """The table in Markdown: the providers that need no network, then the paid ones, in the order of the waterfall."""
    return "\n".join(
        (
            "| provider | id | asked by | for | credits a match | good to know |",
            "| --- | --- | --- | --- | --- | --- |",
            *map(_row, _infos()),
        )
    )


def write(readme: Path = README) -> None:
    """Put the table between its marks in the README. Raises ValueError where they are missing."""
    text = readme.read_text(encoding="utf-8")
    marked = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not marked.search(text):
        raise ValueError(f"{readme.name} has no {BEGIN}")
    readme.write_text(marked.sub(lambda _: f"{BEGIN}\n{table()}\n{END}", text), encoding="utf-8")


def _infos() -> Iterator[ProviderInfo]:
    yield from (provider.info for provider in default_registry(ProviderSettings()))
    yield from (declaration.info for declaration in declared_providers())


def _row(info: ProviderInfo) -> str:
    entity_types = ", ".join(_PLURALS[entity_type] for entity_type in info.gives)
    return f"| {info.name} | `{info.id}` | {info.needs} | {entity_types} | {info.price} | {'; '.join(info.remarks)} |"


if __name__ == "__main__":
    write()
