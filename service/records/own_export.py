"""What our own exports say of a record besides its fields, and what becomes of it when one is imported.

Figures about a record are for who reads the file; what it holds of the CRM's own comes back: values under other names
than ours, and texts that cannot be read.
"""

from collections.abc import Collection, Mapping
from typing import Any

import orjson

ABOUT = ("entityType", "externalId", "completeness", "version", "lastEnrichedAt")
OTHER_FIELDS = "otherFields"  # a column for what the catalogue does not know, as JSON
UNREADABLE = "unreadable"  # a column for what cannot be read, as JSON
NAMES = frozenset({*ABOUT, OTHER_FIELDS, UNREADABLE})


class NotOurs(ValueError):
    """A cell of an export does not hold what we write there."""


def is_own(names: Collection[str]) -> bool:
    """Whether columns or keys of these names are those of our exports."""
    return all(name in names for name in ABOUT)


def fields_sent(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is the CRM's of a line: its id and its fields, those of other names and the unreadable among them.

    `values`: the cells of a row, or an object that has them as `fields`. Raises NotOurs where JSON is wanted and is not
    there.
    """
    fields = values.get("fields")
    if not isinstance(fields, dict):
        fields = {name: value for name, value in values.items() if name not in NAMES}
    others = _json(values.get(OTHER_FIELDS), {})
    if not isinstance(others, dict):
        raise NotOurs(f"{OTHER_FIELDS}: not a JSON object")
    return {"externalId": values["externalId"], **fields, **others, **_as_sent(_json(values.get(UNREADABLE), []))}


def _json(cell: Any, nothing: Any) -> Any:
    if not isinstance(cell, str):
        return cell or nothing
    if not cell:
        return nothing
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError as error:
        raise NotOurs(f"{OTHER_FIELDS} or {UNREADABLE}: not JSON") from error


def _as_sent(unreadable: Any) -> dict[str, Any]:
    try:
        return {each["field"]: each["raw"] for each in unreadable}
    except (TypeError, KeyError) as error:
        raise NotOurs(f"{UNREADABLE}: not a list of field and raw") from error
