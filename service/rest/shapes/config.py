"""The configuration as REST shows it and as a client changes it: its shape is the model that checks it.

What the model lacks, which version it is, is `ConfigVersion`.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from pydantic.alias_generators import to_camel

from enrichment.config import Config
from enrichment.enums import FieldPolicy
from resolvers.config import ConfigView
from service.http.shape import Moment, Part
from service.rest.description.json_schema import Described, Json, JsonSchemas, any_of, case_pattern, reference
from service.rest.shapes.example_moments import CAME_IN

_CHANGES = "Changes"
_SNAKE = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")
# Titles repeat the names, and an absent key keeps its value: it does not take the default.
_LEFT_OUT = frozenset({"title", "default"})


class ConfigVersion(Part, frozen=True):
    """Which version of the configuration it is, and who made it."""

    version: Annotated[int, Meta(ge=1, description="Also the `ETag`.")]
    updated_at: Moment
    updated_by: str | None


def config_json(view: ConfigView) -> Json:
    """The configuration with its version, in JSON values."""
    return _with_version(view.config, ConfigVersion.copied(view))


def _with_version(config: Config, version: ConfigVersion) -> Json:
    return {**config.as_json(), **msgspec.to_builtins(version)}


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
        elif key not in _LEFT_OUT:
            plain[key] = value
    return plain | any_of(plain.pop("anyOf")) if "anyOf" in plain else plain


def _named(schema: Any, name_of: Mapping[str, str]) -> Any:
    """The schema with its references as components: `name_of` gives the component of each part."""
    if isinstance(schema, list):
        return [_named(part, name_of) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {**schema, **reference(name_of[schema["$ref"]])}
    return {key: _named(value, name_of) for key, value in schema.items()}


def _always(schema: Json) -> Json:
    """What is answered, of what may be sent: every key of every object is there."""
    schema = {key: value for key, value in schema.items() if key != "additionalProperties" or value is not False}
    if "properties" in schema:
        properties = {key: _always(value) for key, value in schema["properties"].items()}
        schema = {**schema, "properties": properties, "required": list(properties)}
    return {**schema, "items": _always(schema["items"])} if "items" in schema else schema


def _answered(definitions: Mapping[str, Json]) -> dict[str, Json]:
    """Every key is there; a default rule without a minimum of its own is a bare policy."""
    schemas = {
        name: _always(_named(schema, {part: part for part in definitions})) for name, schema in definitions.items()
    }
    schemas["EntityPolicies"]["properties"]["default"] = {"anyOf": [reference(FieldPolicy.__name__), reference("Rule")]}
    return schemas


def _changed(definitions: Mapping[str, Json]) -> dict[str, Json]:
    """Any key may be absent, enum values may be in any case, and a rule may be a bare policy."""
    schemas = {name + _CHANGES: _named(schema, _names_of_changes(definitions)) for name, schema in definitions.items()}
    for name, schema in definitions.items():
        if "enum" in schema:
            pattern = f"^({'|'.join(case_pattern(member) for member in schema['enum'])})$"
            members = ", ".join(f"`{member}`" for member in schema["enum"])
            schemas[name + _CHANGES] = {"type": "string", "pattern": pattern, "description": f"{members}, in any case."}
    rule = {"anyOf": [reference(FieldPolicy.__name__ + _CHANGES), reference("RuleChanges")]}
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
    version = JsonSchemas([ConfigVersion]).of(ConfigVersion)
    ignored = {"description": "Shown by GET, and ignored where it is sent back."}
    expected = {"description": "The version that was read: where it is not the current one, nothing is changed (412)."}
    config, changes = schemas["Config"], schemas["ConfigChanges"]
    config["properties"] |= version["properties"]
    config["required"] += version["required"]
    changes["properties"] |= {**dict.fromkeys(version["properties"], ignored), "version": expected}
    changes["description"] = "The keys to change: objects are merged key by key, lists are replaced."
    return schemas


_SCHEMAS = _config_schemas()
CONFIG = Described("Config", _SCHEMAS)
CONFIG_CHANGES = Described("ConfigChanges", _SCHEMAS)

EXAMPLE = _with_version(
    Config.model_validate(
        {
            "providers": [
                {"id": "directory"},
                {"id": "directory_archive", "dailyLimit": 500},
                {"id": "signals"},
            ],
            "fieldPolicies": {"account": {"fields": {"industry": {"policy": "tracked", "minConfidence": 0.7}}}},
        }
    ),
    ConfigVersion(version=3, updated_at=CAME_IN, updated_by="user-1"),
)
CHANGES_EXAMPLES: Mapping[str, Json] = {
    "refresh": {"triggers": {"refreshAfterDays": 90}},
    "policy": {"fieldPolicies": {"account": {"fields": {"industry": "tracked"}}}},
    "nothing": {},
}
