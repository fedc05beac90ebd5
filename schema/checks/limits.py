"""What one operation may ask for: how deep, how much, how often under other names.

A fragment is weighed once, wherever it is spread. The document is weighed before it is validated, as some
rules of validation take quadratic time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    value_from_ast_untyped,
)

from resolvers.errors import QueryTooComplex
from resolvers.paging import DEFAULT_SIZE, MAX_SIZE


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one operation may have. Cost is roughly the number of values in the answer."""

    tokens: int = 5_000
    fields: int = 500
    depth: int = 12
    aliases: int = 30
    cost: int = 100_000


_UNPAGED = 5  # assumed length of a list that takes no `first`: a job's steps, a record's provenance
_LOOKUP = 10  # one more question to the database
_ROW = 5  # one row read from it
_COUNT = 50  # counting a whole list
_INTROSPECTION = 25_000
_SELECTION = 20_000  # reading up to 10,000 records, or every line of a log
_OF_SELECTIONS = frozenset(
    {
        *("estimateEnrichment", "previewEnrichment", "previewResolution", "previewUndoEnrichment", "previewUndoJob"),
        *("simulateConfig", "verifyAudit", "verifyLedger"),
    }
)
_ROWS = ("nodes", "edges")
_LENGTHS = ("first", "last")
_HAVE_FIELDS = (GraphQLObjectType, GraphQLInterfaceType)
_BATCHES = ("records", "ids", "selection")  # a bulk field answers each object that it was sent


@dataclass(frozen=True, slots=True)
class _Times:
    """How often a selection is repeated: as written, or as the largest of these variables says."""

    fixed: int = 1
    variables: tuple[str, ...] = ()

    def given(self, variables: Mapping[str, Any]) -> int:
        given = [times for name in self.variables if (times := _length(variables.get(name))) is not None]
        return max(given, default=self.fixed)


def _length(value: Any) -> int | None:
    """How many results a variable asks for; None where it does not say."""
    match value:
        case int():
            return max(1, min(value, MAX_SIZE))
        case list():
            return max(1, len(value))
        case {"externalIds": list() as ids}:
            return max(1, len(ids))
        case dict():
            return MAX_SIZE
        case _:
            return None


@dataclass(slots=True)
class Selection:
    """What a selection set asks for. `parts` are shared by all who spread the same fragment."""

    depth: int = 0
    aliases: int = 0
    own_cost: int = 0
    parts: list[tuple[_Times, "Selection"]] = field(default_factory=list)

    def add(self, part: "Selection", times: _Times, *, deeper: int) -> None:
        self.depth = max(self.depth, deeper + part.depth)
        self.aliases += part.aliases
        self.parts.append((times, part))

    def cost(self, variables: Mapping[str, Any]) -> int:
        """With these variables; in time linear in the document."""
        known: dict[int, int] = {}

        def cost_of(selection: Selection) -> int:
            if id(selection) not in known:
                repeated = (times.given(variables) * cost_of(part) for times, part in selection.parts)
                known[id(selection)] = selection.own_cost + sum(repeated)
            return known[id(selection)]

        return cost_of(self)


@dataclass(frozen=True)
class WeighedOperation:
    """One operation of a document, and what its variables are when they are not given."""

    selection: Selection
    defaults: Mapping[str, Any]

    @cached_property
    def cost(self) -> int:
        """What the operation costs when no variables are given."""
        return self.selection.cost(self.defaults)


class Weigher:
    """Weighs the operations of one document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._document = document
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._weighed: dict[str, Selection] = {}
        self.fields = 0

    def operations(self) -> dict[str | None, WeighedOperation]:
        """The operations by their names."""
        return {
            node.name.value if node.name else None: WeighedOperation(
                self._set(node.selection_set, self._schema.get_root_type(node.operation)),
                {
                    variable.variable.name.value: value_from_ast_untyped(variable.default_value)
                    for variable in node.variable_definitions or ()
                    if variable.default_value is not None
                },
            )
            for node in self._document.definitions
            if isinstance(node, OperationDefinitionNode)
        }

    def _set(self, node: SelectionSetNode | None, parent: GraphQLNamedType | None) -> Selection:
        selection = Selection()
        for child in node.selections if node else ():
            self._add(selection, child, parent)
        return selection

    def _add(self, selection: Selection, node: SelectionNode, parent: GraphQLNamedType | None) -> None:
        if isinstance(node, FieldNode):
            self._add_field(selection, node, parent)
        elif isinstance(node, InlineFragmentNode):
            selection.add(self._set(node.selection_set, self._narrowed(node, parent)), _Times(), deeper=0)
        elif isinstance(node, FragmentSpreadNode):
            selection.add(self._fragment(node.name.value), _Times(), deeper=0)

    def _narrowed(self, node: InlineFragmentNode, parent: GraphQLNamedType | None) -> GraphQLNamedType | None:
        """The type of which an inline fragment selects: its own condition's, where it has one."""
        return parent if node.type_condition is None else self._schema.get_type(node.type_condition.name.value)

    def _fragment(self, name: str) -> Selection:
        if name not in self._weighed:
            self._weighed[name] = Selection()  # within itself it counts nothing: validation refuses that
            node = self._fragments.get(name)
            if node is not None:
                parent = self._schema.get_type(node.type_condition.name.value)
                self._weighed[name] = self._set(node.selection_set, parent)
        return self._weighed[name]

    def _add_field(self, selection: Selection, node: FieldNode, parent: GraphQLNamedType | None) -> None:
        self.fields += 1
        selection.aliases += node.alias is not None
        if node.name.value.startswith("__"):
            selection.own_cost += _INTROSPECTION if node.selection_set else 1
            self.fields += sum(1 for _ in _fields_within(node))
            return
        known = parent.fields.get(node.name.value) if isinstance(parent, _HAVE_FIELDS) else None
        selection.own_cost += _cost_of(node, known)
        inner = self._set(node.selection_set, get_named_type(known.type) if known else None)
        if node.name.value in _ROWS:
            inner.own_cost += _ROW
        selection.add(inner, _times(node, known, parent), deeper=1)


def _fields_within(node: FieldNode | InlineFragmentNode) -> Iterator[FieldNode]:
    for child in node.selection_set.selections if node.selection_set else ():
        if isinstance(child, FieldNode):
            yield child
        if isinstance(child, FieldNode | InlineFragmentNode):
            yield from _fields_within(child)


def _cost_of(node: FieldNode, known: GraphQLField | None) -> int:
    if node.name.value in {"totalCount", "totalCountIsExact"}:
        return _COUNT
    if node.name.value in _OF_SELECTIONS:
        return _SELECTION
    return _LOOKUP if known is not None and known.args else 1


def _times(node: FieldNode, known: GraphQLField | None, parent: GraphQLNamedType | None) -> _Times:
    if known is None or node.selection_set is None:
        return _Times()
    lengths = (*_LENGTHS, *_BATCHES) if _answers_each(known) else _LENGTHS
    given = [_times_of(argument.value) for argument in node.arguments or () if argument.name.value in lengths]
    if given:
        fixed = max((times.fixed for times in given if not times.variables), default=DEFAULT_SIZE)
        return _Times(fixed, tuple(name for times in given for name in times.variables))
    if "first" in known.args:
        return _Times(DEFAULT_SIZE)
    if is_list_type(get_nullable_type(known.type)):
        # The lists of a connection and of a bulk answer have been counted with their field already.
        reckoned = parent is not None and parent.name.endswith(("Connection", "Payload"))
        return _Times(1 if reckoned else _UNPAGED)
    return _Times()


def _answers_each(known: GraphQLField) -> bool:
    """Whether a field answers for each object that it was sent, and not once for all."""
    kind = get_nullable_type(known.type)
    return is_list_type(kind) or get_named_type(kind).name.endswith("Payload")


def _times_of(value: ValueNode) -> _Times:
    match value:
        case VariableNode():
            return _Times(variables=(value.name.value,))
        case IntValueNode():
            return _Times(max(1, int(value.value)) if len(value.value) < len(str(MAX_SIZE)) else MAX_SIZE)
        case ListValueNode():
            return _Times(max(1, len(value.values)))
        case NullValueNode():
            return _Times(DEFAULT_SIZE)
        case _:
            return _Times(MAX_SIZE)


def weigh(schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> dict[str | None, WeighedOperation]:
    """The operations of a document. Raises QueryTooComplex for what no variables could make acceptable."""
    weigher = Weigher(schema, document)
    operations = weigher.operations()
    found = {
        "fields": weigher.fields,
        "depth": max((operation.selection.depth for operation in operations.values()), default=0),
        "aliases": max((operation.selection.aliases for operation in operations.values()), default=0),
    }
    for what, number in found.items():
        _refuse_over(what, number, getattr(limits, what))
    return operations


def cost_within(operation: WeighedOperation, variables: Mapping[str, Any] | None, limits: Limits) -> int:
    """What the operation costs. Raises QueryTooComplex when the answer would be too large."""
    cost = operation.selection.cost({**operation.defaults, **variables}) if variables else operation.cost
    _refuse_over("cost", cost, limits.cost)
    return cost


def _refuse_over(what: str, number: int, limit: int) -> None:
    if number > limit:
        advice = "; ask for less with `first`" if what == "cost" else ""
        raise QueryTooComplex(f"The query has {what} {number}, the limit is {limit}{advice}.", limit=limit)
