"""A GraphQL type that copies its fields promises no more than its source has."""

from dataclasses import is_dataclass

import pytest

import schema
from schema.base.copied import field_names
from tests.support.copied_fields import classes_of, copied_fields

COPIES = [cls for cls in classes_of(schema) if is_dataclass(cls) and any(copied_fields(cls, field_names(cls)))]


def test_the_types_of_the_large_nouns_copy() -> None:
    assert {"Job", "Step", "Conflict", "Record", "CreditEntry", "Stats"} <= {cls.__name__ for cls in COPIES}


@pytest.mark.parametrize("cls", COPIES, ids=lambda cls: cls.__name__)
def test_what_may_be_none_is_copied_only_to_what_may_be_null(cls: type) -> None:
    fields = list(copied_fields(cls, field_names(cls)))
    assert not [field.name for field in fields if field.source_may_be_none and not field.may_be_null]
