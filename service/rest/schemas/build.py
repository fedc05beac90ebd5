"""The few kinds of JSON Schema that the descriptions are built from."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

Json = dict[str, Any]

ID: Json = {"type": "string", "format": "uuid"}
TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
COUNT: Json = {"type": "integer", "minimum": 0}
FLAG: Json = {"type": "boolean"}
MOMENT: Json = {"type": "string", "format": "date-time"}
DAY: Json = {"type": "string", "format": "date"}
SHARE: Json = {"type": "number", "minimum": 0, "maximum": 1}
ANYTHING: Json = {}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Json) -> Json:
    """The schema, or null."""
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def listed(schema: Json) -> Json:
    return {"type": "array", "items": schema}


def closed_list(kind: type[StrEnum], description: str = "") -> Json:
    schema: Json = {"type": "string", "enum": [member.value for member in kind]}
    return {**schema, "description": description} if description else schema


def in_any_case(word: str) -> str:
    """A pattern for a word in any case."""
    return "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in word)


def any_case(kind: type[StrEnum], description: str = "") -> Json:
    """As `closed_list`, for what is read: in any case."""
    shown = f"One of {', '.join(f'`{member}`' for member in kind)}, in any case."
    text = f"{description} {shown}" if description else shown
    return {"type": "string", "pattern": f"^({'|'.join(map(in_any_case, kind))})$", "description": text}


def shape(description: str, properties: Mapping[str, Json]) -> Json:
    """An object that always has all of its keys."""
    return {
        "type": "object",
        "description": description,
        "properties": dict(properties),
        "required": list(properties),
    }


def always(schema: Json) -> Json:
    """What is answered, of what may be sent: every key of every object is there."""
    schema = {key: value for key, value in schema.items() if key != "additionalProperties" or value is not False}
    if "properties" in schema:
        properties = {key: always(value) for key, value in schema["properties"].items()}
        schema = {**schema, "properties": properties, "required": list(properties)}
    return {**schema, "items": always(schema["items"])} if "items" in schema else schema


def request_shape(description: str, properties: Mapping[str, Json], required: tuple[str, ...] = ()) -> Json:
    """An object that a client sends: what is not `required` may be absent, anything else is refused."""
    schema: Json = {
        "type": "object",
        "description": description,
        "properties": dict(properties),
        "additionalProperties": False,
    }
    return {**schema, "required": list(required)} if required else schema
