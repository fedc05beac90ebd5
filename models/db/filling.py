"""Sets attributes of rows that are frozen for everyone else, as they are made."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Set: TypeAlias = Callable[[Any, Any], None]


def set_all(set_: Set, rows: Sequence[Any], values: Iterable[Any]) -> None:
    """Give each of these rows its value of one attribute."""
    for _ in map(set_, rows, values):
        pass


def setter(cls: type[Any], name: str) -> Set:
    """Sets an attribute of a row, which is frozen for everyone else."""
    found: Mapping[str, Any] = next(vars(kind) for kind in cls.__mro__ if name in vars(kind))
    set_: Set = found[name].__set__
    return set_
