"""Plans for the selections of a document: how objects are completed whose fields are plain, in one go.

graphql-core completes a value field by field, with a path and an info object for each. A field without a resolver
needs neither: it is an attribute. A plan is made once for a selection of a document, and reads all its plain fields of
an object at once, those of nested objects and lists too. What has a resolver is left to graphql-core, and so is all
of an object in which anything is unusual: a null where none may be, a value that cannot be coerced. So every error is
graphql-core's own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    OperationDefinitionNode,
)
from graphql.execution.collect_fields import FieldDetails, collect_subfields
from graphql.execution.executor import Executor

from schema.base.views import Each, GivenView, Made, Part, RowView, names_of
from schema.execution.leaves import Complete, Unusual, completing

Details: TypeAlias = list[FieldDetails]
_MOST_PLANS = 500  # of one document; more come about only where variables switch many of its parts
_View: TypeAlias = RowView[Any, Any]


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

    def of(self, executor: Executor[Any], kind: GraphQLObjectType, details: Details) -> "ObjectPlan | None":
        """The plan for what is selected of objects of this type; None where nothing of it is plain."""
        # Variables decide what @skip and @include leave of a selection: flags that are the same leave the same.
        flags = tuple(item for item in executor.variable_values.coerced.items() if item[1].__class__ is bool)
        key = (kind.name, flags, *(id(detail.node) for detail in details))
        if key not in self.made:
            if len(self.made) >= _MOST_PLANS:
                self.made.clear()
            try:
                self.made[key] = _Compiler(self, executor).plan(kind, details)
            except GraphQLError:  # an argument of a directive: graphql-core says where
                self.made[key] = None
        return self.made[key]


class ObjectPlan:
    """How objects are completed: their plain fields by a function, and `rest` by graphql-core."""

    def __init__(self, order: Sequence[str], plain: Sequence["_PlainField"], rest: dict[str, Details]) -> None:
        self.order = order
        self.rest = rest
        self._plain = plain
        self._made: dict[_View | None, Complete] = {}

    def of_object(self, value: Any) -> dict[str, Any]:
        """The plain fields of an object. Raises whatever, and Unusual, where it must be left to graphql-core."""
        if value is None:
            raise Unusual
        kind = value.__class__
        view = getattr(kind, "__view__", None)
        if view is not None:
            done: dict[str, Any] = self.reading(view)(value._row)
            return done
        if isinstance(value, Exception) or hasattr(kind, "__await__"):
            raise Unusual
        plain: dict[str, Any] = self.reading(None)(value)
        return plain

    def of_list(self, values: Any, *, nullable: bool = False) -> list[Any]:
        """The plain fields of each object of a list. Raises as `of_object`."""
        if values.__class__ is Each:
            make = values.make
            view = make.view if make.__class__ is GivenView else make
            if view.__class__ is RowView:
                complete = self.reading(view)
                return [complete(row) for row in values.rows]
        elif values.__class__ not in (list, tuple):
            raise Unusual  # what can be read once only
        of_object = self.of_object
        if nullable:
            return [None if value is None else of_object(value) for value in values]
        return [of_object(value) for value in values]

    def reading(self, view: _View | None) -> Complete:
        """The function that completes the rows of a view; of no view: objects with attributes."""
        if view not in self._made:
            self._made[view] = self._compile(view)
        return self._made[view]

    def _compile(self, view: _View | None) -> Complete:
        names, kinds, fixes = [], [], []
        attributes: list[str] = []
        getters: list[Complete] = []
        for plain in self._plain:
            source = plain.attribute if view is None else view.sources.get(plain.attribute, plain.attribute)
            attribute, fix = _read(source, plain)
            names.append(plain.name)
            kinds.append(plain.expected)
            fixes.append(fix)
            if isinstance(attribute, str):
                attributes.append(attribute)
                getters.append(attrgetter(attribute))
            else:
                getters.append(attribute)
        read = _together(attributes, getters)
        known = tuple(zip(names, kinds, fixes, strict=True))

        def complete(source: Any) -> dict[str, Any]:
            return {
                name: value if value.__class__ is kind else fix(value)
                for (name, kind, fix), value in zip(known, read(source), strict=True)
            }

        return complete


@dataclass(frozen=True, slots=True)
class _PlainField:
    """A field to complete: under which name, from which attribute, and how (`expected` values are complete)."""

    name: str
    attribute: str
    expected: type | None
    fix: Complete
    part: ObjectPlan | None = None  # of an object, or of each of a list
    is_nullable: bool = False


def _read(source: str | Made | Part, plain: _PlainField) -> tuple[str | Complete, Complete]:
    """The attribute or the function that gives a field of a row, and what completes its value."""
    match source:
        case Made(make=make):
            return make, plain.fix
        case Part(attribute=attribute, view=view, many=many) if plain.part is not None:
            complete = plain.part.reading(view)
            return attribute, _each_row(complete) if many else _a_row(complete)
        case Part():
            raise Unusual
    return source, plain.fix


def _each_row(complete: Complete) -> Complete:
    return lambda rows: [complete(row) for row in rows]


def _a_row(complete: Complete) -> Complete:
    def done(row: Any) -> Any:
        if row is None:
            raise Unusual
        return complete(row)

    return done


def _together(attributes: list[str], getters: list[Complete]) -> Callable[[Any], Sequence[Any]]:
    if len(attributes) == len(getters) > 1:
        return attrgetter(*attributes)
    if len(getters) == 1:
        [get] = getters
        return lambda source: (get(source),)
    return lambda source: [get(source) for get in getters]


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
        plain: list[_PlainField] = []
        rest: dict[str, Details] = {}
        for name, inner in grouped.items():
            made = self._plain_field(kind, name, inner, attributes)
            if made is None:
                rest[name] = inner
            else:
                plain.append(made)
        return ObjectPlan(list(grouped), plain, rest) if plain else None

    def _plain_field(self, kind: GraphQLObjectType, name: str, details: Details, attributes: Any) -> _PlainField | None:
        node: FieldNode = details[0].node
        field_name = node.name.value
        declared: GraphQLField | None = kind.fields.get(field_name)
        if field_name == "__typename":
            return _PlainField(name, "__class__", None, lambda _: kind.name)
        if declared is None or not getattr(declared.resolve, "_is_default", False) or declared.args:
            return None
        return self._of_type(declared.type, name, attributes[field_name], details)

    def _of_type(self, kind: GraphQLOutputType, name: str, attribute: str, details: Details) -> _PlainField | None:
        nullable = not isinstance(kind, GraphQLNonNull)
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(inner, GraphQLScalarType | GraphQLEnumType):
            expected, fix = completing(inner)
            return _PlainField(name, attribute, expected, _or_null(fix) if nullable else fix)
        if isinstance(inner, GraphQLObjectType):
            part = self._wholly_plain(inner, details)
            if part is None:
                return None
            return _PlainField(name, attribute, None, _or_null(part.of_object) if nullable else part.of_object, part)
        if isinstance(inner, GraphQLList):
            return self._of_list(inner.of_type, name, attribute, details, nullable=nullable)
        return None

    def _of_list(
        self, kind: GraphQLOutputType, name: str, attribute: str, details: Details, *, nullable: bool
    ) -> _PlainField | None:
        item = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        may_hold_null = item is kind
        part: ObjectPlan | None = None
        if isinstance(item, GraphQLObjectType):
            part = self._wholly_plain(item, details)
            if part is None:
                return None
            complete = _each_object(part, may_hold_null=may_hold_null)
        elif isinstance(item, GraphQLScalarType | GraphQLEnumType):
            complete = _each_leaf(*completing(item), may_hold_null=may_hold_null)
        else:
            return None
        return _PlainField(name, attribute, None, _or_null(complete) if nullable else complete, part)

    def _wholly_plain(self, kind: GraphQLObjectType, details: Details) -> ObjectPlan | None:
        plan = self._plans.of(self._executor, kind, details)
        return plan if plan is not None and not plan.rest else None


def _or_null(complete: Complete) -> Complete:
    return lambda value: None if value is None else complete(value)


def _each_object(part: ObjectPlan, *, may_hold_null: bool) -> Complete:
    if may_hold_null:
        return lambda values: part.of_list(values, nullable=True)
    return part.of_list


def _each_leaf(expected: type | None, fix: Complete, *, may_hold_null: bool) -> Complete:
    fix = _or_null(fix) if may_hold_null else fix

    def complete(values: Any) -> list[Any]:
        if values.__class__ not in (list, tuple):
            raise Unusual
        return [value if value.__class__ is expected else fix(value) for value in values]

    return complete
