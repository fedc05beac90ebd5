"""The command `auto-enrichment`: makes sure that our packages are ours before it imports any of them.

The names of our top-level packages are common words. Another distribution in the same environment may have one of them,
and Python then imports whichever it finds first.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

OUR_DISTRIBUTION = "salesos-auto-enrichment"
PACKAGES = ("auto_enrichment", "enrichment", "models", "providers", "resolvers", "schema", "service", "workers")

_MARK = b"SalesOS Auto Enrichment"  # stands in the docstring of each of our packages


def main() -> None:
    """Run the command; end with one plain sentence where another distribution has taken the name of a package."""
    if taken := [name for name in PACKAGES if not _is_ours(name)]:
        sys.exit(f"auto-enrichment: {_sentence(taken)}")
    import_module("service.cli.main").main()


def _is_ours(name: str) -> bool:
    """Whether the package that Python finds by that name is what we wrote."""
    spec = find_spec(name)
    return spec is not None and spec.origin is not None and _MARK in Path(spec.origin).read_bytes()


def _sentence(taken: list[str]) -> str:
    names = " and ".join(f"'{name}'" for name in taken)
    others = " and ".join(dict.fromkeys(_others(taken))) or "another distribution"
    has, package = ("has", "package") if len(taken) == 1 else ("have", "packages")
    return (
        f"the {package} {names} of {OUR_DISTRIBUTION} {has} been taken by {others}: "
        "install auto-enrichment into an environment of its own, with pipx, uv tool or a new virtual environment."
    )


def _others(taken: list[str]) -> Iterator[str]:
    """The distributions that have packages of these names, as far as they say so."""
    installed = packages_distributions()
    for name in taken:
        yield from (distribution for distribution in installed.get(name, ()) if distribution != OUR_DISTRIBUTION)


if __name__ == "__main__":
    main()
