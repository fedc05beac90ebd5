"""The identifiers in what the CRM sent, beside those in the canonical values that were read of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from enrichment.catalogue import Refused, earlier_form, fields_of, normalize
from enrichment.cell_texts import cell_texts
from enrichment.clean import is_domain
from enrichment.enums import EntityType
from enrichment.identity import TELLING_KINDS, Identifier, identifiers

_NOBODY: frozenset[Identifier] = frozenset()


def identifiers_in_cells(
    entity_type: EntityType, fields: Mapping[str, Any], raw: Mapping[str, Any]
) -> frozenset[Identifier]:
    """The identifiers in a record's raw values, each also in the form that earlier versions gave it.

    `fields` are the record's canonical ones: what they say themselves is not read again.
    """
    cells = {name: value for name, value in raw.items() if name != "country" and fields.get(name) != value}
    found = _NOBODY
    if cells:
        for country in _countries(fields, raw):
            found |= identifiers(entity_type, {**cells, "country": country})
    return found | identifiers(entity_type, earlier_identifiers(entity_type, {**fields, **cells}))


def earlier_identifiers(entity_type: EntityType, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that identify a record and were written otherwise by earlier versions, as they wrote them."""
    known = fields_of(entity_type)
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known or known[name].kind not in TELLING_KINDS or is_domain(entity_type, name):
            continue  # a domain of before may be another's, on whose site the record has a page
        earlier = earlier_form(entity_type, name, value, hints=values)
        if earlier is not None:
            found[name] = earlier
    return found


def _countries(fields: Mapping[str, Any], raw: Mapping[str, Any]) -> Iterator[str | None]:
    """The record's country; where its cell cannot be read, each country that it names."""
    country = fields.get("country")
    cell = raw.get("country")
    yield country if isinstance(country, str) else None
    if country is None and isinstance(cell, str):
        for part in cell_texts(cell):
            try:
                named = normalize(EntityType.CONTACT, "country", part)
            except Refused:
                continue
            if isinstance(named, str):
                yield named
