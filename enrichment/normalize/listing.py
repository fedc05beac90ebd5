"""Lists of words, such as tags and a tech stack."""

import re
from typing import Any

from enrichment.normalize.text import Refused, fold, tidy

MOST_ITEMS = 500
_LONGEST_ITEM = 200
_SEPARATORS = re.compile(r"[,;|\n]")


def canonical_list(raw: Any) -> list[str] | None:
    """Distinct items in their order, from a list or from comma or semicolon separated text. Raises Refused."""
    if isinstance(raw, str):
        parts: list[Any] = _SEPARATORS.split(tidy(raw, lines=True) or "")
    elif isinstance(raw, list | tuple):
        parts = list(raw)
    else:
        parts = [raw]
    if len(parts) > MOST_ITEMS:
        raise Refused(f"more than {MOST_ITEMS} items")
    items: dict[str, str] = {}
    for part in parts:
        item = tidy(part, _LONGEST_ITEM)
        if item:
            items.setdefault(fold(item), item)
    return list(items.values()) or None


def list_key(items: list[str]) -> str:
    """The set of the items, whatever their order and case."""
    return "|".join(sorted(fold(item) for item in items))
