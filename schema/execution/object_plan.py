"""How objects of one type are completed, of which one selection is asked: their plain fields in one go.

Field by field for all objects of a list, rather than object by object: what is done for each value is then done by
functions of the interpreter's own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias, cast

from graphql.execution.collect_fields import FieldDetails
from msgspec import Raw

from models.db.printed import Beside, Columns, Leaf, Literally, PrintedRow, Shape, Within
from schema.base.views import Each, GivenView, Made, Part, Rows, RowView
from schema.execution.leaves import Column, Unusual

Details: TypeAlias = list[FieldDetails]
_View: TypeAlias = RowView[Any, Any]


class Reading(NamedTuple):
    """How objects, or the rows of a view, are completed: by a function for all, and `rest` by graphql-core."""

    complete: Callable[[Rows[Any]], list[dict[str, Any]]]
    rest: dict[str, Details]


class ObjectPlan:
    """How objects are completed whose type and selection are known.

    `rest` is left to graphql-core, but for what the rows of a view hold of it.
    """

    def __init__(
        self,
        order: Sequence[str],
        plain: Sequence["PlainField"],
        rest: dict[str, Details],
        may_be_held: Sequence["PlainField"],
    ) -> None:
        self.order = order
        self.rest = rest
        self._plain = plain
        self._may_be_held = may_be_held
        self._made: dict[_View | None, Reading] = {}

    def of_object(self, value: Any) -> tuple[dict[str, Any], dict[str, Details]]:
        """The plain fields of an object, and what is left. Raises whatever where all is left to graphql-core."""
        if value is None:
            raise Unusual
        kind = value.__class__
        view = getattr(kind, "__view__", None)
        if view is not None:
            reading = self.reading(view)
            return reading.complete((value._row,))[0], reading.rest
        if isinstance(value, Exception) or hasattr(kind, "__await__"):
            raise Unusual
        reading = self.reading(None)
        return reading.complete((value,))[0], reading.rest

    def of_whole(self, value: Any) -> dict[str, Any]:
        """An object of which nothing is left. Raises whatever where it must be left to graphql-core."""
        done, rest = self.of_object(value)
        if rest:
            raise Unusual
        return done

    def of_list(self, values: Any, *, nullable: bool = False) -> Any:
        """Each object of a list; None where something of them is left. Raises as `of_whole`.

        Of rows that the database printed: the list as it is encoded.
        """
        if values.__class__ is Each:
            make = values.make
            view = make.view if make.__class__ is GivenView else make
            if values.rows and values.rows[0].__class__ is PrintedRow:
                return _joined(cast("Sequence[PrintedRow]", values.rows))
            if view.__class__ is RowView:
                complete, rest = self.reading(view)
                return None if rest else complete(values.rows)
        elif values.__class__ not in (list, tuple):
            raise Unusual  # what can be read once only
        if self.rest:
            return None
        of_whole = self.of_whole
        if nullable:
            return [None if value is None else of_whole(value) for value in values]
        return [of_whole(value) for value in values]

    def reading(self, view: _View | None) -> Reading:
        """How the rows of a view are completed; of no view: objects with attributes."""
        if view not in self._made:
            self._made[view] = self._compile(view)
        return self._made[view]

    def printed_nodes(self, view: _View) -> Shape | None:
        """How the database prints the nodes of a connection, which this is the plan of; None where it cannot."""
        left = (details[0].node.name.value for details in self.rest.values())
        if "edges" in (*left, *(plain.attribute for plain in self._plain)):
            return None  # their rows are read
        nodes = [plain.part for plain in self._plain if plain.attribute == "nodes"]
        if len(nodes) != 1 or nodes[0] is None:
            return None
        return nodes[0].shape(view)

    def shape(self, view: _View) -> Shape | None:
        """How the database prints rows of a view as this plan would complete them; None where it cannot."""
        if self.rest:
            return None
        parts = {plain.name: _shown(plain, view) for plain in self._plain}
        shape = {name: part for name in self.order if (part := parts[name]) is not None}
        return shape if len(shape) == len(parts) else None

    def _beside(self, columns: Columns) -> Beside | None:
        """How the database prints an object of this plan, of attributes of the row."""
        shape: dict[str, Leaf | Literally] = {}
        by_name = {plain.name: plain for plain in self._plain}
        for name in self.order:
            printed = by_name[name].printed
            if isinstance(printed, Leaf):
                attribute, absent = columns.attributes[by_name[name].attribute]
                printed = replace(printed, attribute=attribute, absent=absent)
            if printed is None:
                return None
            shape[name] = printed
        return Beside(columns.present, shape)

    def _compile(self, view: _View | None) -> Reading:
        held = [] if view is None else [plain for plain in self._may_be_held if plain.attribute in view.held]
        by_name = {plain.name: plain for plain in (*self._plain, *held)}
        fields = [by_name[name] for name in self.order if name in by_name]
        rest = {name: details for name, details in self.rest.items() if name not in by_name}
        names = tuple(plain.name for plain in fields)
        columns = tuple(_read(_source(plain, view), plain) for plain in fields)

        def complete(sources: Rows[Any]) -> list[dict[str, Any]]:
            done = [column(list(map(get, sources))) for get, column in columns]
            return [dict(zip(names, values, strict=True)) for values in zip(*done, strict=True)]

        return Reading(complete, rest)


@dataclass(frozen=True, slots=True)
class PlainField:
    """A field to complete: under which name, from which attribute, and how the values of many objects are."""

    name: str
    attribute: str
    complete: Column
    part: ObjectPlan | None = None  # of an object, or of each of a list
    printed: Leaf | Literally | None = None  # how the database prints a value, of no attribute yet


def _shown(plain: PlainField, view: _View) -> Leaf | Beside | Within | Literally | None:
    """How the database prints a field of the rows of a view."""
    if isinstance(plain.printed, Literally):
        return plain.printed
    match _source(plain, view):
        case str(attribute) if plain.printed is not None:
            return replace(plain.printed, attribute=attribute)
        case Part(attribute=attribute, view=inner, pick=pick) if plain.part is not None and pick is list:
            shape = plain.part.shape(inner)
            return None if shape is None else Within(attribute, shape)
        case Made(columns=Columns() as columns) if plain.part is not None:
            return plain.part._beside(columns)
    return None


def _joined(rows: Sequence[PrintedRow]) -> Raw:
    return Raw(f"[{','.join([row.text for row in rows])}]".encode())


def _source(plain: PlainField, view: _View | None) -> str | Made | Part:
    if view is None:
        return plain.attribute
    return view.held.get(plain.attribute) or view.sources.get(plain.attribute, plain.attribute)


def _read(source: str | Made | Part, plain: PlainField) -> tuple[Callable[[Any], Any], Column]:
    """What gives the value of a field of a row, and what completes those of many."""
    match source:
        case Made(make=make):
            return make, plain.complete
        case Part(attribute=attribute, view=view, many=many, pick=pick) if plain.part is not None:
            complete, _ = plain.part.reading(view)
            if many:
                return attrgetter(attribute), lambda values: [complete(pick(rows)) for rows in values]
            return attrgetter(attribute), lambda rows: complete(_none_missing(rows))
        case Part():
            raise Unusual
        case str():
            return attrgetter(source), plain.complete


def _none_missing(rows: Sequence[Any]) -> Sequence[Any]:
    if None in rows:
        raise Unusual
    return rows
