"""The records of an operation's variables, checked at once by a compiled validator.

graphql-core coerces each field of each record by itself, and Strawberry makes an object of each: most of what a request
with a thousand records costs. Records that surely pass are handed over as they came instead, in the guise of a single
record whose `fields` are all of them. What does not surely pass is left to the library, so that every error is its own.
"""

from typing import Any, Literal

import msgspec
from graphql import (
    DocumentNode,
    GraphQLError,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    TypeNode,
)

from schema.base.scalars import read_json, read_time

INPUT = "RecordInput"  # the name of the type in GraphQL


class SentRecords(list[dict[str, Any]]):
    """Records that were checked, as REST has them. No request can make one of these by itself."""


class _SentRecord(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What a record looks like that needs no more than a look."""

    entity_type: Literal["LEAD", "CONTACT", "ACCOUNT"]
    external_id: str | int
    fields: dict[str, Any]
    observed_at: str | None = None
    observed_at_by_field: Any = None


_SENT = list[_SentRecord]


def with_records_checked(
    node: DocumentNode, name: str | None, variables: dict[str, Any] | None
) -> dict[str, Any] | None:
    """The variables of an operation, its lists of records checked where they surely pass."""
    checked = variables
    for variable in _record_lists(node, name) if variables else ():
        records = _checked(variables.get(variable)) if variables else None
        if checked is not None and records is not None:
            checked = checked | {variable: {"entityType": "LEAD", "externalId": "", "fields": records}}
    return checked


def _record_lists(node: DocumentNode, name: str | None) -> list[str]:
    """The variables that are declared `[RecordInput!]!`."""
    return [
        variable.variable.name.value
        for operation in node.definitions
        if isinstance(operation, OperationDefinitionNode)
        and (name is None or (operation.name is not None and operation.name.value == name))
        for variable in operation.variable_definitions or ()
        if _is_record_list(variable.type)
    ]


def _is_record_list(kind: TypeNode) -> bool:
    inner = kind.type if isinstance(kind, NonNullTypeNode) else kind
    item = inner.type if isinstance(inner, ListTypeNode) else None
    named = item.type if isinstance(item, NonNullTypeNode) else item
    return isinstance(named, NamedTypeNode) and named.name.value == INPUT


def _checked(records: Any) -> SentRecords | None:
    if not isinstance(records, list):
        return None
    try:
        for record, raw in zip(msgspec.convert(records, _SENT), records, strict=True):
            if record.observed_at is not None:
                if "-" not in record.observed_at:
                    return None  # a form that only the library takes
                read_time(record.observed_at)
            read_json(raw["fields"])
            if record.observed_at_by_field is not None:
                read_json(record.observed_at_by_field)
    except (msgspec.ValidationError, GraphQLError):
        return None
    return SentRecords(records)
