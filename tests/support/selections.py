"""Documents made at random from a schema: any fields, with aliases, fragments, directives and `__typename`."""

from random import Random

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_object_type,
    is_required_argument,
)

VARIABLES = "$yes: Boolean! = true, $no: Boolean! = false"
_DIRECTIVES = ("@include(if: true)", "@skip(if: true)", "@include(if: $yes)", "@skip(if: $no)", "@skip(if: $yes)")


class Selections:
    """Draws documents from the fields of a schema that need no arguments."""

    def __init__(self, schema: GraphQLSchema, seed: int, *, depth: int = 5) -> None:
        self._schema = schema
        self._random = Random(seed)  # noqa: S311 # for tests
        self._depth = depth
        self._fragments: list[str] = []

    def document(self, *roots: str) -> str:
        """A query of one of these root fields."""
        query = self._schema.query_type
        assert query is not None
        name = self._random.choice(roots)
        kind = get_named_type(query.fields[name].type)
        assert isinstance(kind, GraphQLObjectType)
        body = f"query ({VARIABLES}) {{ {name} {self._selection(kind, self._depth)} used: __typename @skip(if: $no)"
        return f"{body} also: __typename @include(if: $yes) }} {' '.join(self._fragments)}"

    def _selection(self, kind: GraphQLObjectType, depth: int) -> str:
        usable = [name for name, field in kind.fields.items() if self._is_usable(field, depth)]
        chosen = self._random.sample(usable, min(len(usable), self._random.randint(1, 6)))
        parts = [self._part(kind, name, depth) for name in chosen]
        if self._random.random() < 0.3:
            parts.insert(self._random.randint(0, len(parts)), "__typename")
        return f"{{ {' '.join(parts)} __typename }}"

    def _is_usable(self, field: GraphQLField, depth: int) -> bool:
        if any(is_required_argument(argument) for argument in field.args.values()):
            return False
        kind = get_named_type(field.type)
        return is_leaf_type(kind) or (is_object_type(kind) and depth > 1)

    def _part(self, kind: GraphQLObjectType, name: str, depth: int) -> str:
        inner = get_named_type(kind.fields[name].type)
        below = self._selection(inner, depth - 1) if isinstance(inner, GraphQLObjectType) else ""
        alias = f"a{self._random.randint(0, 10**9)}: " if self._random.random() < 0.1 else ""
        directive = self._random.choice(_DIRECTIVES) if self._random.random() < 0.15 else ""
        field = f"{alias}{name} {directive} {below}"
        chance = self._random.random()
        if chance < 0.1:
            return f"... on {kind.name} {{ {field} }}"
        if chance < 0.2:
            fragment = f"F{len(self._fragments)}"
            self._fragments.append(f"fragment {fragment} on {kind.name} {{ {field} }}")
            return f"...{fragment}"
        return field
