"""Documents and bodies made from the schema and from openapi.json: the smallest valid arguments, or every argument."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
    parse,
)

from resolvers.errors import QueryTooComplex
from schema.checks.limits import Limits, cost_within, weigh

LONGEST_DOCUMENT = 12_000  # characters: what is longer has more fields than a query may have
LIMITS = Limits()
UNKNOWN_ID = "01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10"
_PLAIN = {"Int": 1, "Float": 0.5, "Boolean": True, "DateTime": "2026-01-01T00:00:00Z", "JSON": {}}

Texts = Callable[[str], str]  # of an argument's or an input's name, for ids and texts


def unknown(name: str) -> str:
    """A text for an argument with this name that fits nothing that is stored."""
    return UNKNOWN_ID if name.lower().endswith(("id", "ids")) else "unknown"


@dataclass(frozen=True)
class Call:
    """A field of a root with its arguments, and a document that asks it for as much as may be."""

    field: str  # `Query.jobs`
    document: str
    variables: Mapping[str, Any]


def calls_of(schema: GraphQLSchema, texts: Texts = unknown, *, every: bool = False) -> Iterator[Call]:
    """A call of each field of the three roots; `every`: also with the arguments that may be left out."""
    for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
        assert root is not None
        for name, field in root.fields.items():
            for arguments in _choices(field, every=every):
                yield from _with(
                    schema, root.name, name, field, {given: field.args[given] for given in arguments}, texts
                )


def _choices(field: GraphQLField, *, every: bool) -> list[list[str]]:
    """Which arguments to pass: those that are needed; `every`: all, and each id that may be left out by itself."""
    needed = [name for name, argument in field.args.items() if is_required_argument(argument)]
    if not every:
        return [needed]
    # An id is another way to name what an external id names.
    left_out = {"last", "before"} | ({"id"} if "externalId" in field.args else set())
    ids = [name for name, argument in field.args.items() if get_named_type(argument.type).name == "ID"]
    alone = [[*needed, name] for name in ids if name not in needed]
    return [[name for name in field.args if name not in left_out], *alone]


def _with(
    schema: GraphQLSchema,
    root: str,
    name: str,
    field: GraphQLField,
    arguments: Mapping[str, GraphQLArgument],
    texts: Texts,
) -> Iterator[Call]:
    optional = any(not is_required_argument(argument) for argument in arguments.values())
    variables = {given: smallest(argument.type, given, texts, optional) for given, argument in arguments.items()}
    if optional and "after" in variables and not is_required_argument(arguments["after"]):
        variables["after"] = None
    declared = ", ".join(f"${given}: {argument.type}" for given, argument in arguments.items())
    passed = ", ".join(f"{given}: ${given}" for given in arguments)
    head = f"{root.lower()} {f'({declared})' if declared else ''}"
    body = f"{name}{f'({passed})' if passed else ''}"
    for chosen in selections(schema, get_named_type(field.type)):
        documents = (f"{head} {{ {body} {selection} }}" for selection in chosen)
        document = next(text for text in documents if _is_allowed(schema, text, variables))
        yield Call(f"{root}.{name}", document, variables)


def _is_allowed(schema: GraphQLSchema, document: str, variables: Mapping[str, Any]) -> bool:
    try:
        for operation in weigh(schema, parse(document), LIMITS).values():
            cost_within(operation, variables, LIMITS)
    except QueryTooComplex:
        return False
    return True


def smallest(kind: GraphQLInputType, name: str, texts: Texts, every: bool = False) -> Any:
    """The smallest valid value of an input type; `every`: with all keys of an object one level down."""
    plain: Any = get_nullable_type(kind)
    if is_list_type(plain):
        return [smallest(plain.of_type, name, texts, every)]
    if isinstance(plain, GraphQLEnumType):
        return "ACCOUNT" if "ACCOUNT" in plain.values else next(iter(plain.values))
    if isinstance(plain, GraphQLInputObjectType):
        return {
            key: smallest(field.type, key, texts)
            for key, field in plain.fields.items()
            if is_required_input_field(field) or (every and isinstance(get_named_type(field.type), GraphQLEnumType))
        }
    return _PLAIN.get(plain.name) if plain.name in _PLAIN else texts(name)


def selections(schema: GraphQLSchema, kind: GraphQLNamedType) -> list[list[str]]:
    """What to ask of a type, for each type that it may be: the deepest set of fields first."""
    if is_leaf_type(kind):
        return [[""]]
    if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
        shown = ((possible, _by_depth(possible)) for possible in schema.get_possible_types(kind))
        return [[f"{{ __typename ... on {possible.name} {fields} }}" for fields in sets] for possible, sets in shown]
    assert isinstance(kind, GraphQLObjectType)
    return [_by_depth(kind)]


def _by_depth(kind: GraphQLObjectType) -> list[str]:
    sets = [_fields(kind, depth) for depth in range(5)]
    return [fields for fields in reversed(sets) if len(fields) < LONGEST_DOCUMENT]


def _fields(kind: GraphQLObjectType, depth: int) -> str:
    parts: list[str] = ["__typename"]
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        few = "(first: 5)" if "first" in field.args else ""
        if is_leaf_type(inner):
            parts.append(name + few)
        elif isinstance(inner, GraphQLObjectType) and depth > 0:
            parts.append(f"{name}{few} {_fields(inner, depth - 1)}")
    return f"{{ {' '.join(parts)} }}"


def smallest_json(schema: Mapping[str, Any], described: Mapping[str, Any], name: str, texts: Texts) -> Any:
    """The smallest valid value of a JSON schema; `described` is the whole description, for references."""
    if "$ref" in schema:
        target: Any = described
        for key in schema["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        return smallest_json(target, described, name, texts)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return smallest_json(schema[choice][0], described, name, texts)
    if "enum" in schema:
        return "account" if "account" in schema["enum"] else schema["enum"][0]
    kinds = schema.get("type", "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        parts = schema.get("properties", {})
        return {key: smallest_json(parts[key], described, key, texts) for key in schema.get("required", [])}
    if kind == "array":
        return [smallest_json(schema.get("items", {}), described, name, texts)]
    if kind == "string":
        return "2026-01-01T00:00:00Z" if schema.get("format") == "date-time" else texts(name)
    return {"integer": schema.get("minimum", 1), "number": schema.get("minimum", 1), "boolean": True}.get(kind)


def as_text(answer: Any) -> str:
    """An answer as one text to look for something in."""
    return json.dumps(answer, default=str, ensure_ascii=False, sort_keys=True)
