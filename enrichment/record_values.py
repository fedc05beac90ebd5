"""Texts of others without what they repeat of a record: an error message may quote the question that it answers."""

import re
from collections.abc import Mapping
from typing import Any

from enrichment.json_texts import texts_in

_SHORTEST_VALUE = 3


def without_record_values(text: str, fields: Mapping[str, Any]) -> str:
    """The text with `...` in place of each value of the record that it repeats."""
    values = {value for field in fields.values() for value in texts_in(field) if len(value) >= _SHORTEST_VALUE}
    values = {value for value in values if value.casefold() in text.casefold()}
    for value in sorted(values, key=len, reverse=True):
        text = re.sub(re.escape(value), "...", text, flags=re.IGNORECASE)
    return text
