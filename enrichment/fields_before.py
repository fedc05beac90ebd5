"""A record's fields as an earlier version would hold them: what was asked with those is not asked again."""

from collections.abc import Mapping
from typing import Any

from enrichment.clean import clean, is_domain, own_before
from enrichment.enums import EntityType


def forms_before(entity_type: EntityType, fields: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that an earlier version would hold otherwise, by what it made of the CRM's raw values.

    None: it would hold nothing. A field that does not hold what the CRM sent is left out.
    """
    if not raw:
        return {}
    country = fields.get("country")
    today = clean(entity_type, raw, country=country if isinstance(country, str) else None).values
    before = own_before(entity_type, raw)
    return {
        name: before.get(name)
        for name, value in today.items()
        if fields.get(name) == value and before.get(name) != value and not is_domain(entity_type, name)
    }


def with_forms_before(fields: Mapping[str, Any], forms: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with these forms in place of today's."""
    changed = {**fields, **forms}
    return {name: value for name, value in changed.items() if value is not None or name not in forms}
