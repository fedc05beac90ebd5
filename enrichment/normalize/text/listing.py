"""Lists of words, such as tags and a tech stack."""

import json
import re
from typing import Any

from enrichment.normalize.text.text import Refused, as_text, fold, refuse_markup, tidy

MOST_ITEMS = 500
_LONGEST_ITEM = 200
_SEPARATORS = re.compile("[,;|\n\u3001]")


def canonical_list(raw: Any) -> list[str] | None:
    """Distinct items in their order, from a list or from comma or semicolon separated text. Raises Refused."""
    parts = raw if isinstance(raw, list | tuple) else _parts(as_text(raw) or "")
    if len(parts) > MOST_ITEMS:
        raise Refused(f"more than {MOST_ITEMS} items")
    items: dict[str, str] = {}
    for part in parts:
        item = tidy(part, _LONGEST_ITEM)
        if item:
            refuse_markup(item)
            items.setdefault(fold(item), item)
    return list(items.values()) or None


def _parts(text: str) -> list[Any]:
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        try:
            loaded = json.loads(bare)
        except ValueError:
            loaded = None
        if isinstance(loaded, list):
            return loaded
    if tidy(text) is None:
        return []
    return _SEPARATORS.split(text)


def list_key(items: list[str]) -> str:
    """The set of the items, whatever their order and case."""
    return "|".join(sorted(map(fold, items)))
