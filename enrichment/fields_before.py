"""A record's fields as an earlier version would hold them: what was asked with those is not asked again."""

from collections.abc import Mapping
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.clean import clean, is_domain, own_before
from enrichment.enums import EntityType
from enrichment.normalize import field_kind
from enrichment.normalize.earlier import may_differ


def forms_before(entity_type: EntityType, fields: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that an earlier version would hold otherwise, by what it made of the CRM's raw values.

    None: it would hold nothing. A field that does not hold what the CRM sent is left out.
    """
    differing = {name: value for name, value in raw.items() if _may_differ(entity_type, name, value)}
    return _compared(entity_type, fields, differing) if differing else {}


def _may_differ(entity_type: EntityType, name: str, raw: Any) -> bool:
    """Whether an earlier version may hold something else of a raw value. A no is never wrong, and quick."""
    field = fields_of(entity_type).get(name)
    if field is None or is_domain(entity_type, name):
        return False
    return may_differ(field.kind, raw) or field_kind.reads_by_country(field.kind)


def _compared(entity_type: EntityType, fields: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
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
