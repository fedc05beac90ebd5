"""Departments: the known names of one department become one label."""

import re
from typing import Any

from enrichment.normalize.text.casing import cased_words
from enrichment.normalize.text.plain import canonical_text
from enrichment.normalize.text.text import words
from enrichment.normalize.word_list import read_groups

_LABELS = {words(name): label for label, names in read_groups("titles", "departments.txt") for name in (label, *names)}
_KIND = re.compile(r" (?:department|dept|team|division|function|abteilung)$|^(?:department of|abteilung) ")


def known_departments() -> list[str]:
    """The labels of the known departments, by the alphabet."""
    return sorted(set(_LABELS.values()))


def canonical_department(raw: Any) -> str | None:
    """`HR`, `Engineering` and so on where the department is a known one; None when empty. Raises Refused."""
    text = canonical_text(raw, 200)
    if text is None:
        return None
    folded = words(text)
    return _LABELS.get(folded) or _LABELS.get(_KIND.sub("", folded)) or cased_words(text)
