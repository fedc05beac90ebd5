"""Objects of the API that show a row: a field is an attribute of the row, or made from it, once someone asks for it.

A view says for each field of a GraphQL type where it comes from. Whoever reads rows learns from it which columns a
selection needs (`wanted`), and whoever answers reads the rows without making an object for each
(`schema.execution.plans`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, cast, overload

from strawberry.utils.str_converters import to_camel_case

from models.db.printed import Columns
from models.db.wanted import EVERYTHING, Wanted, also, merged

T = TypeVar("T")
Row = TypeVar("Row")
Item = TypeVar("Item", covariant=True)

Selected: TypeAlias = Mapping[str, "Selected"]
"""The fields that an operation selects of an object, by their names in GraphQL, with what it selects of each."""


@dataclass(frozen=True, slots=True)
class Made:
    """A field that is made from these attributes of the row; `columns` is how the database prints it, if it can."""

    make: Callable[[Any], Any]
    needs: tuple[str, ...]
    columns: Columns | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A field that shows a row inside the row, or each of a list of them: of those that `pick` takes, in its order.

    `needs` are the attributes by which it picks.
    """

    attribute: str
    view: "RowView[Any, Any]"
    many: bool = False
    pick: Callable[[Any], Sequence[Any]] = list  # as another function: what it leaves out cannot be printed
    needs: tuple[str, ...] = ()

    def wanted(self, selected: Selected) -> Wanted:
        """The attributes that these fields need of the row inside."""
        return also(self.view.wanted(selected), *self.needs)


class RowView(Generic[Row, T]):
    """How objects of one GraphQL type show rows.

    A field that is not named in `sources` is the row's attribute of the same name; a source that is a text is the
    attribute's name. `resolved` says which attributes a field with a resolver reads of its object; one that is not
    named there may read any. `held` are fields with a resolver that rows hold where they were asked for. `given` are
    fields that do not come from the row, but with it (`with_`).
    """

    def __init__(
        self,
        cls: type[T],
        *,
        given: tuple[str, ...] = (),
        resolved: Mapping[str, Mapping[str, Any]] | None = None,
        held: Mapping[str, Part] | None = None,
        **sources: str | Made | Part,
    ) -> None:
        self.cls = cls
        self._resolved = dict(resolved or {})
        self.held: Mapping[str, Part] = dict(held or {})
        self.sources: dict[str, str | Made | Part] = {
            field.name: sources.get(field.name, field.name)
            for field in fields(cast("Any", cls))
            if field.init and field.name not in given
        }
        if unknown := set(sources) - set(self.sources):
            raise TypeError(f"{cls.__name__} has no {', '.join(sorted(unknown))}")
        shown = {name: property(_reading(source)) for name, source in self.sources.items()}
        self._made = type(cls.__name__, (cls,), {"__module__": cls.__module__, "__view__": self, **shown})

    def __call__(self, row: Row) -> T:
        made: Any = object.__new__(self._made)
        made._row = row
        return cast("T", made)

    def with_(self, **given: Any) -> "GivenView[Row, T]":
        """The same view with values for what does not come from the row."""
        return GivenView(self, given)

    def wanted(self, selected: Selected) -> Wanted:
        """The attributes that these fields need of a row."""
        return merged(
            self._wanted(self.python_names[name], inner)
            for name, inner in selected.items()
            if name in self.python_names  # and not __typename
        )

    def _wanted(self, name: str, selected: Selected) -> Wanted:
        if name in self.held:
            part = self.held[name]
            return merged((self._resolved[name], {part.attribute: part.wanted(selected)}))
        match self.sources.get(name):
            case None:
                return self._resolved.get(name, EVERYTHING)
            case str() as attribute:
                return {attribute: EVERYTHING}
            case Made(needs=needs):
                return dict.fromkeys(needs, EVERYTHING)
            case Part(attribute=attribute) as part:
                return {attribute: part.wanted(selected)}

    @cached_property
    def python_names(self) -> Mapping[str, str]:
        """The attributes of the type by the names of its fields in GraphQL."""
        return names_of(cast("Any", self.cls).__strawberry_definition__)


class GivenView(Generic[Row, T]):
    """A view, and values that it shows beside those of the row."""

    def __init__(self, view: RowView[Row, T], given: Mapping[str, Any]) -> None:
        self.view = view
        self._given = given

    def __call__(self, row: Row) -> T:
        made = self.view(row)
        vars(made).update(self._given)
        return made


def _reading(source: str | Made | Part) -> Callable[[Any], Any]:
    match source:
        case str():
            return cast("Callable[[Any], Any]", attrgetter(f"_row.{source}"))
        case Made(make=make):
            return lambda shown: make(shown._row)
        case Part(attribute=attribute, view=view, many=True, pick=pick):
            return lambda shown: Each(view, pick(getattr(shown._row, attribute)))
        case Part(attribute=attribute, view=view):
            return lambda shown: view(getattr(shown._row, attribute))


def names_of(definition: Any) -> Mapping[str, str]:
    """The attributes of a GraphQL type, as Strawberry defines it, by the names of their fields in GraphQL."""
    return {field.graphql_name or to_camel_case(field.python_name): field.python_name for field in definition.fields}


class Rows(Protocol[Item]):
    """A list, or what the ORM has of one."""

    def __iter__(self) -> Iterator[Item]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Item: ...


class Each(Sequence[T], Generic[Row, T]):
    """The rows as objects of the API, made only when someone asks for them."""

    __slots__ = ("make", "rows")

    def __init__(self, make: Callable[[Row], T], rows: Rows[Row]) -> None:
        self.make = make
        self.rows = rows

    def __iter__(self) -> Iterator[T]:
        return map(self.make, self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return list(self)[index]
        return self.make(self.rows[index])


def needs(*attributes: str) -> Mapping[str, Any]:
    """These attributes, of what a field with a resolver reads."""
    return dict.fromkeys(attributes, EVERYTHING)
