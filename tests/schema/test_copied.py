"""A GraphQL type that copies its fields promises no more than its source has, be it copied or shown as a view."""

from dataclasses import is_dataclass
from importlib import import_module
from pkgutil import walk_packages
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from tortoise.models import Model

import schema
from schema.base.copied import field_names
from schema.base.views import RowView
from tests.support.copied_fields import attribute_may_be_none, classes_of, copied_fields, is_optional

COPIES = [cls for cls in classes_of(schema) if is_dataclass(cls) and any(copied_fields(cls, field_names(cls)))]
VIEWS: dict[str, tuple[RowView[Any, Any], tuple[type, ...]]] = {}
for found in walk_packages(schema.__path__, "schema."):
    module = import_module(found.name)
    for name, hint in get_type_hints(module).items():
        if get_origin(hint) is RowView:
            rows = get_args(hint)[0]
            sources = get_args(rows) if get_origin(rows) in (Union, UnionType) else (rows,)
            VIEWS[name] = (getattr(module, name), sources)


def test_the_types_of_the_large_nouns_copy_or_are_views() -> None:
    assert {"Stats", "AuditEntry"} <= {cls.__name__ for cls in COPIES}
    assert {"CONFLICT", "ENTRY", "JOB", "STEP", "RECORD", "VALUE"} <= set(VIEWS)


@pytest.mark.parametrize("cls", COPIES, ids=lambda cls: cls.__name__)
def test_what_may_be_none_is_copied_only_to_what_may_be_null(cls: type) -> None:
    fields = list(copied_fields(cls, field_names(cls)))
    assert not [field.name for field in fields if field.source_may_be_none and not field.may_be_null]


@pytest.mark.parametrize("name", VIEWS)
def test_what_may_be_none_is_shown_only_where_null_may_be(name: str) -> None:
    view, sources = VIEWS[name]
    hints = get_type_hints(view.cls, include_extras=True)
    for field, source in view.sources.items():
        if isinstance(source, str) and not is_optional(hints[field]):
            assert not [row for row in sources if attribute_may_be_none(row, source)], field


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_reads_attributes_that_all_its_rows_have(name: str) -> None:
    view, sources = VIEWS[name]
    held = {part.attribute for part in view.held.values()}  # not by all, and not always
    for attribute in set(view.wanted({field: {} for field in view.python_names}) or ()) - held:
        assert all(attribute in attributes_of(row) for row in sources), attribute


def attributes_of(row: type) -> set[str]:
    declared = {name for kind in row.__mro__ for name in getattr(kind, "__annotations__", ())}
    columns = row._meta.fields_map if issubclass(row, Model) else ()
    return {*dir(row), *declared, *columns}
