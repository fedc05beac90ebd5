"""What values of each kind of field look like."""

import pytest

from enrichment.catalogue import Field, fields_of, normalize
from enrichment.enums import EntityType
from enrichment.field_guide import ValueType, guide_of

FIELDS = [(kind, field) for kind in EntityType for field in fields_of(kind).values()]
TYPES = {ValueType.TEXT: (str,), ValueType.WHOLE_NUMBER: (int, str), ValueType.TEXTS: (list,)}


@pytest.mark.parametrize(("kind", "field"), FIELDS, ids=[f"{kind}-{field.name}" for kind, field in FIELDS])
def test_examples_and_known_values_are_canonical(kind: EntityType, field: Field) -> None:
    guide = guide_of(field.kind)
    assert guide.examples
    for value in (*guide.examples, *(guide.values or ())):
        assert normalize(kind, field.name, value) == value
        assert isinstance(value, TYPES[guide.type])
