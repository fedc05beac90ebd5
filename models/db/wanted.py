"""Which attributes of a row someone asks for, and of the rows within it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

Wanted: TypeAlias = Mapping[str, Any] | None
"""The names of the attributes; under that of a row within the row (or a list of them) what is wanted of it.

None: all of them.
"""
EVERYTHING: Final = None


def merged(asked: Iterable[Wanted]) -> Wanted:
    """What any of these asks for."""
    found: dict[str, Any] = {}
    for wanted in asked:
        if wanted is None:
            return EVERYTHING
        for name, inner in wanted.items():
            found[name] = merged((found[name], inner)) if name in found else inner
    return found


def also(wanted: Wanted, *names: str) -> Wanted:
    """The same, and these attributes."""
    return merged((wanted, dict.fromkeys(names, EVERYTHING)))
