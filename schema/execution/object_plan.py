"""How objects of one type are completed, of which one selection is asked: their plain fields in one go."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

from graphql.execution.collect_fields import FieldDetails

from schema.base.views import Each, GivenView, Made, Part, RowView
from schema.execution.leaves import Complete, Unusual

Details: TypeAlias = list[FieldDetails]
_View: TypeAlias = RowView[Any, Any]


class Reading(NamedTuple):
    """How objects, or the rows of a view, are completed: by a function, and `rest` by graphql-core."""

    complete: Complete
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
            return reading.complete(value._row), reading.rest
        if isinstance(value, Exception) or hasattr(kind, "__await__"):
            raise Unusual
        reading = self.reading(None)
        return reading.complete(value), reading.rest

    def of_whole(self, value: Any) -> dict[str, Any]:
        """An object of which nothing is left. Raises whatever where it must be left to graphql-core."""
        done, rest = self.of_object(value)
        if rest:
            raise Unusual
        return done

    def of_list(self, values: Any, *, nullable: bool = False) -> list[Any] | None:
        """Each object of a list; None where something of them is left. Raises as `of_whole`."""
        if values.__class__ is Each:
            make = values.make
            view = make.view if make.__class__ is GivenView else make
            if view.__class__ is RowView:
                complete, rest = self.reading(view)
                return None if rest else [complete(row) for row in values.rows]
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

    def _compile(self, view: _View | None) -> Reading:
        held = [] if view is None else [plain for plain in self._may_be_held if plain.attribute in view.held]
        by_name = {plain.name: plain for plain in (*self._plain, *held)}
        fields = [by_name[name] for name in self.order if name in by_name]
        rest = {name: details for name, details in self.rest.items() if name not in by_name}
        kinds, fixes = [], []
        attributes: list[str] = []
        getters: list[Complete] = []
        for plain in fields:
            attribute, fix = _read(_source(plain, view), plain)
            kinds.append(plain.expected)
            fixes.append(fix)
            if isinstance(attribute, str):
                attributes.append(attribute)
                getters.append(attrgetter(attribute))
            else:
                getters.append(attribute)
        read = _together(attributes, getters)
        known = tuple(zip((plain.name for plain in fields), kinds, fixes, strict=True))

        def complete(source: Any) -> dict[str, Any]:
            return {
                name: value if value.__class__ is kind else fix(value)
                for (name, kind, fix), value in zip(known, read(source), strict=True)
            }

        return Reading(complete, rest)


@dataclass(frozen=True, slots=True)
class PlainField:
    """A field to complete: under which name, from which attribute, and how (`expected` values are complete)."""

    name: str
    attribute: str
    expected: type | None
    fix: Complete
    part: ObjectPlan | None = None  # of an object, or of each of a list


def _source(plain: PlainField, view: _View | None) -> str | Made | Part:
    if view is None:
        return plain.attribute
    return view.held.get(plain.attribute) or view.sources.get(plain.attribute, plain.attribute)


def _read(source: str | Made | Part, plain: PlainField) -> tuple[str | Complete, Complete]:
    """The attribute or the function that gives a field of a row, and what completes its value."""
    match source:
        case Made(make=make):
            return make, plain.fix
        case Part(attribute=attribute, view=view, many=many, pick=pick) if plain.part is not None:
            complete, _ = plain.part.reading(view)
            return attribute, _each_row(complete, pick) if many else _a_row(complete)
        case Part():
            raise Unusual
    return source, plain.fix


def _each_row(complete: Complete, pick: Complete) -> Complete:
    return lambda rows: [complete(row) for row in pick(rows)]


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
