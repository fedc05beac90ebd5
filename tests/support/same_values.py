"""How the tables of equal and of different values are read."""

from typing import Any

from enrichment.catalogue import is_equivalent, normalize, value_key
from enrichment.enums import EntityType


def rows(table: str) -> list[tuple[str, str]]:
    """The pairs of a table: a pair a line, apart by `|`; lines that begin with `#` are headings."""
    lines = [line for line in table.strip().split("\n") if line and not line.startswith("#")]
    return [(first.strip(), second.strip()) for first, _, second in (line.partition(" | ") for line in lines)]


def canonical(entity_type: EntityType, field: str, raw: Any, country: str | None = None) -> Any:
    """The canonical value; `raw @ Country` is read by that country."""
    text, at, given = raw.rpartition(" @ ") if isinstance(raw, str) else ("", "", raw)
    hints = {"country": given if at else country}
    value = normalize(entity_type, field, text if at else raw, hints=hints)
    assert value is not None, raw
    return value


def check_same(entity_type: EntityType, field: str, a: Any, b: Any, *, country: str | None = None) -> None:
    a, b = (canonical(entity_type, field, raw, country) for raw in (a, b))
    assert is_equivalent(entity_type, field, a, b), (a, b)
    assert is_equivalent(entity_type, field, b, a), (a, b)


def check_different(entity_type: EntityType, field: str, a: Any, b: Any, *, country: str | None = None) -> None:
    a, b = (canonical(entity_type, field, raw, country) for raw in (a, b))
    assert not is_equivalent(entity_type, field, a, b), (a, b)
    assert not is_equivalent(entity_type, field, b, a), (a, b)
    assert value_key(entity_type, field, a) != value_key(entity_type, field, b), (a, b)
