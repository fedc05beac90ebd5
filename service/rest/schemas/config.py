"""The shape of the configuration, as it is answered and as it is changed, from the model that checks it."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from enrichment.config import Config
from enrichment.enums import FieldPolicy
from service.rest.schemas.build import MOMENT, TEXT, Json, always, in_any_case, nullable, ref

_CHANGES = "Changes"
_SNAKE = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")
# What only the model says: its titles repeat the names, and an absent key keeps its value, not the default.
_UNSAID = frozenset({"title", "default"})


def _definitions() -> dict[str, Json]:
    """The model and its parts by name, in plain JSON Schema."""
    generated = Config.model_json_schema(ref_template="{model}")
    parts: dict[str, Json] = generated.pop("$defs")
    return {name: _plain(schema) for name, schema in {"Config": generated, **parts}.items()}


def _plain(schema: Mapping[str, Any]) -> Json:
    plain: Json = {}
    for key, value in schema.items():
        if key == "properties":
            plain[key] = {name: _plain(part) for name, part in value.items()}
        elif key == "anyOf":
            plain[key] = [_plain(part) for part in value]
        elif key in {"items", "additionalProperties"} and isinstance(value, dict):
            plain[key] = _plain(value)
        elif key == "description":
            plain[key] = _SNAKE.sub(lambda name: f"`{to_camel(name[1])}`", value).replace("None", "null")
        elif key not in _UNSAID:
            plain[key] = value
    kinds = plain.get("anyOf", [])
    if len(kinds) == 2 and kinds[1] == {"type": "null"} and "type" in kinds[0]:
        plain = {**plain, **nullable(kinds[0])}
        del plain["anyOf"]
    return plain


def _named(schema: Any, name_of: Mapping[str, str]) -> Any:
    """The schema with its references as components: `name_of` gives the component of each part."""
    if isinstance(schema, list):
        return [_named(part, name_of) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {**schema, **ref(name_of[schema["$ref"]])}
    return {key: _named(value, name_of) for key, value in schema.items()}


def _answered(definitions: Mapping[str, Json]) -> dict[str, Json]:
    """Every key is there; a default rule without a minimum of its own is a bare policy."""
    schemas = {
        name: always(_named(schema, {part: part for part in definitions})) for name, schema in definitions.items()
    }
    schemas["EntityPolicies"]["properties"]["default"] = {"anyOf": [ref(FieldPolicy.__name__), ref("Rule")]}
    return schemas


def _changed(definitions: Mapping[str, Json]) -> dict[str, Json]:
    """Any key may be absent, enum values may be in any case, and a rule may be a bare policy."""
    schemas = {name + _CHANGES: _named(schema, _names_of_changes(definitions)) for name, schema in definitions.items()}
    for name, schema in definitions.items():
        if "enum" in schema:
            pattern = f"^({'|'.join(in_any_case(member) for member in schema['enum'])})$"
            members = ", ".join(f"`{member}`" for member in schema["enum"])
            schemas[name + _CHANGES] = {"type": "string", "pattern": pattern, "description": f"{members}, in any case."}
    rule = {"anyOf": [ref(FieldPolicy.__name__ + _CHANGES), ref("RuleChanges")]}
    policies = schemas["EntityPoliciesChanges"]["properties"]
    policies["default"] = rule
    policies["fields"]["additionalProperties"] = {"anyOf": [*rule["anyOf"], {"type": "null"}]}
    policies["fields"]["description"] = "By field name; null takes the field's own rule away."
    return schemas


def _names_of_changes(definitions: Mapping[str, Json]) -> dict[str, str]:
    return {name: name + _CHANGES for name in definitions}


def _config_schemas() -> dict[str, Json]:
    definitions = _definitions()
    schemas = {**_answered(definitions), **_changed(definitions)}
    answered: Json = {
        "version": {"type": "integer", "minimum": 1, "description": "Also the `ETag`."},
        "updatedAt": MOMENT,
        "updatedBy": nullable(TEXT),
    }
    ignored = {"description": "Shown by GET, and ignored where it is sent back."}
    config, changes = schemas["Config"], schemas["ConfigChanges"]
    config["properties"] |= answered
    config["required"] += answered
    changes["properties"] |= dict.fromkeys(answered, ignored)
    changes["description"] = "The keys to change: objects are merged key by key, lists are replaced."
    return schemas


SCHEMAS = _config_schemas()
