"""Plans for the selections of a document: how objects are completed whose fields are plain, in one go.

graphql-core completes a value field by field, with a path and an info object for each. A field without a resolver
needs neither: it is an attribute. A plan is made once for a selection of a document, and reads all its plain fields of
an object at once, those of nested objects and lists too. What has a resolver is left to graphql-core, and so is all
of an object in which anything is unusual: a null where none may be, a value that cannot be coerced. So every error is
graphql-core's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    OperationDefinitionNode,
    get_named_type,
)
from graphql.execution.collect_fields import collect_subfields
from graphql.execution.executor import Executor

from models.db.printed import Leaf, Literally, Printed
from models.db.wanted import Wanted
from schema.base.views import RowView, names_of
from schema.execution.leaves import Column, Complete, Unusual, leaves, printed
from schema.execution.object_plan import Details, ObjectPlan, PlainField

_MOST_PLANS = 500  # of one document; more come about only where variables switch many of its parts


@dataclass(slots=True)
class Plans:
    """The plans of one document. Its nodes live as long as it does, so their identities name its selections.

    `wanted` keeps what its lists need of their rows (`schema.base.wanted`).
    `taken` counts the lists and objects that a plan has completed, `refused` those that were unusual.
    """

    made: dict[tuple[Any, ...], "ObjectPlan | None"] = field(default_factory=dict)
    wanted: dict[tuple[int, ...], Any] = field(default_factory=dict)
    taken: int = 0
    refused: int = 0
    _printed: dict[tuple[int, int], Printed | None] = field(default_factory=dict)

    def of(self, executor: Executor[Any], kind: GraphQLObjectType, details: Details) -> "ObjectPlan | None":
        """The plan for what is selected of objects of this type; None where nothing of it is plain."""
        # Variables decide what @skip and @include leave of a selection: flags that are the same leave the same.
        flags = tuple(item for item in executor.variable_values.coerced.items() if item[1].__class__ is bool)
        key = (kind.name, flags, *(id(detail.node) for detail in details))
        if key not in self.made:
            if len(self.made) >= _MOST_PLANS:
                self.made.clear()
                self._printed.clear()
            try:
                self.made[key] = _Compiler(self, executor).plan(kind, details)
            except GraphQLError:  # an argument of a directive: graphql-core says where
                self.made[key] = None
        return self.made[key]

    def printed_nodes(self, info: GraphQLResolveInfo[Any], view: RowView[Any, Any], wanted: Wanted) -> Printed | None:
        """How the database prints the nodes of the connection that a field answers, once there is a plan for it."""
        variables = cast("dict[str, Any]", info.variable_values)  # Strawberry hands them over as they are read
        flags = tuple(item for item in variables.items() if item[1].__class__ is bool)
        plan = self.made.get((get_named_type(info.return_type).name, flags, *map(id, info.field_nodes)))
        if plan is None:
            return None
        key = (id(plan), id(view))
        if key not in self._printed:
            shape = plan.printed_nodes(view)
            self._printed[key] = None if shape is None else Printed(shape, wanted)
        return self._printed[key]


class _Compiler:
    """Makes the plans of one selection and of those within it."""

    def __init__(self, plans: Plans, executor: Executor[Any]) -> None:
        self._plans = plans
        self._executor = executor

    def plan(self, kind: GraphQLObjectType, details: Details) -> ObjectPlan | None:
        definition = kind.extensions.get("strawberry-definition")
        if definition is None or kind.is_type_of is not None:
            return None
        executor = self._executor
        assert isinstance(executor.operation, OperationDefinitionNode)
        grouped, deferred, _ = collect_subfields(
            executor.schema, executor.fragments, executor.variable_values, executor.operation, kind, details
        )
        if deferred:
            return None
        attributes = names_of(definition)
        plain: list[PlainField] = []
        rest: dict[str, Details] = {}
        may_be_held: list[PlainField] = []
        for name, inner in grouped.items():
            made = self._field(kind, name, inner, attributes)
            if made is not None and _is_plain(kind, inner):
                plain.append(made)
            else:
                rest[name] = inner
                may_be_held += [] if made is None else [made]
        return ObjectPlan(list(grouped), plain, rest, may_be_held) if plain or may_be_held else None

    def _field(self, kind: GraphQLObjectType, name: str, details: Details, attributes: Any) -> PlainField | None:
        node: FieldNode = details[0].node
        field_name = node.name.value
        declared: GraphQLField | None = kind.fields.get(field_name)
        if field_name == "__typename":
            typename = Literally(f'"{kind.name}"')
            return PlainField(name, "__class__", lambda values: [kind.name] * len(values), printed=typename)
        if declared is None or declared.args:
            return None
        return self._of_type(declared.type, name, attributes[field_name], details)

    def _of_type(self, kind: GraphQLOutputType, name: str, attribute: str, details: Details) -> PlainField | None:
        nullable = not isinstance(kind, GraphQLNonNull)
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(inner, GraphQLScalarType | GraphQLEnumType):
            shown = printed(inner, nullable=nullable)
            return PlainField(name, attribute, leaves(inner, nullable=nullable), printed=shown)
        if isinstance(inner, GraphQLObjectType):
            part = self._wholly_plain(inner, details)
            return None if part is None else PlainField(name, attribute, _each(part.of_whole, nullable=nullable), part)
        if isinstance(inner, GraphQLList):
            return self._of_list(inner.of_type, name, attribute, details, nullable=nullable)
        return None

    def _of_list(
        self, kind: GraphQLOutputType, name: str, attribute: str, details: Details, *, nullable: bool
    ) -> PlainField | None:
        item = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        may_hold_null = item is kind
        if isinstance(item, GraphQLObjectType):
            part = self._wholly_plain(item, details)
            if part is None:
                return None
            of_list = partial(part.of_list, nullable=may_hold_null)
            return PlainField(name, attribute, _each(of_list, nullable=nullable), part)
        if isinstance(item, GraphQLScalarType | GraphQLEnumType):
            column = leaves(item, nullable=may_hold_null)
            is_of_texts = item.name == "String" and not may_hold_null
            shown = Leaf("", "texts", None, "null" if nullable else None) if is_of_texts else None
            return PlainField(name, attribute, _each(partial(_leaf_list, column), nullable=nullable), printed=shown)
        return None

    def _wholly_plain(self, kind: GraphQLObjectType, details: Details) -> ObjectPlan | None:
        plan = self._plans.of(self._executor, kind, details)
        return plan if plan is not None and not plan.rest else None


def _is_plain(kind: GraphQLObjectType, details: Details) -> bool:
    """Whether a field is an attribute, without a resolver."""
    declared = kind.fields.get(details[0].node.name.value)
    return declared is None or getattr(declared.resolve, "_is_default", False)  # __typename is declared nowhere


def _each(complete: Complete, *, nullable: bool) -> Column:
    """Completes values one by one; null is one of them where it may be, and else is unusual."""

    def column(values: Sequence[Any]) -> list[Any]:
        if None not in values:
            return [complete(value) for value in values]
        if not nullable:
            raise Unusual
        return [None if value is None else complete(value) for value in values]

    return column


def _leaf_list(column: Column, values: Any) -> list[Any]:
    if values.__class__ not in (list, tuple):
        raise Unusual
    return list(column(values))
