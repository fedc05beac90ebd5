"""Reading descriptions of providers from files: every fault is named with its file, its path and what is wrong."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from enrichment.catalogue import fields_of
from providers.described.description import DERIVED, OWN_FIELD, PLACEHOLDER, Description, address_of, templates

MOST_FAULTS_SHOWN = 20
_MOST_BYTES = 1_000_000


class DescriptionError(ValueError):
    """Descriptions that cannot be used. Each fault names the file, the path inside of it, and what is wrong."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        more = len(self.faults) - MOST_FAULTS_SHOWN
        shown = [*self.faults[:MOST_FAULTS_SHOWN], *([f"and {more} more"] if more > 0 else [])]
        super().__init__("\n".join(shown))


def read_descriptions(path: Path) -> tuple[Description, ...]:
    """The descriptions of a JSON file, one object or a list of them, or of every `.json` file of a folder.

    Raises DescriptionError with all faults of all files.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    faults: list[str] = []
    found: dict[str, Description] = {}
    for file in files:
        for description, prefix in _of_file(file, faults):
            if description.id in found:
                faults.append(f"{prefix}id: {description.id} is described twice")
            found[description.id] = description
    if faults:
        raise DescriptionError(faults)
    return tuple(found.values())


def _of_file(file: Path, faults: list[str]) -> Iterator[tuple[Description, str]]:
    try:
        raw = file.read_bytes()
    except OSError as error:
        faults.append(f"{file.name}: cannot be read: {error.strerror or type(error).__name__}")
        return
    if len(raw) > _MOST_BYTES:
        faults.append(f"{file.name}: larger than {_MOST_BYTES:,} bytes")
        return
    try:
        loaded = json.loads(raw, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        faults.append(f"{file.name}: is not JSON: {error}"[:300])
        return
    for index, item in enumerate(loaded if isinstance(loaded, list) else [loaded]):
        prefix = f"{file.name}: [{index}]." if isinstance(loaded, list) else f"{file.name}: "
        description = _checked(item, prefix, faults)
        if description is not None:
            yield description, prefix


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    loaded = dict(pairs)
    if len(loaded) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands twice in one object")
    return loaded


def _checked(raw: Any, prefix: str, faults: list[str]) -> Description | None:
    try:
        description = Description.model_validate(raw)
    except ValidationError as error:
        faults.extend(f"{prefix}{_dotted(fault['loc'])}{_message(fault)}" for fault in error.errors())
        return None
    faulty = [f"{prefix}{fault}" for fault in _faults(description)]
    faults.extend(faulty)
    return None if faulty else description


def _dotted(path: tuple[int | str, ...]) -> str:
    named = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path if part != "[key]")
    return f"{named.lstrip('.')}: " if named else ""


def _message(fault: Mapping[str, Any]) -> str:
    match fault["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is no setting of a description"
        case "model_type" | "model_attributes_type":
            return "should be an object"
        case "string_pattern_mismatch":
            return "should be 2 to 40 small letters, digits and _, and begin with a letter"
        case _:
            message = str(fault["msg"]).removeprefix("Value error, ")
            return (
                message[:1].lower() + message[1:]
                if message.startswith(("Input ", "List ", "String ", "Dict"))
                else message
            )


def _faults(description: Description) -> Iterator[str]:
    """What is wrong between the parts."""
    yield from _field_faults(description)
    yield from _request_faults(description)
    try:
        address_of(description.request.url)
    except ValueError as error:
        yield f"request.url: {error}"
    if description.auth and description.auth.header.lower() in map(str.lower, description.request.headers):
        yield f"request.headers.{description.auth.header}: is the header of the key"


def _field_faults(description: Description) -> Iterator[str]:
    for field in sorted(description.fields.keys() - _known(description)):
        yield f"fields.{field}: {' and '.join(description.entity_types)} has no such field"
    for entity_type in description.entity_types:
        if description.fields.keys().isdisjoint(fields_of(entity_type)):
            yield f"fields: none of them is a field of {entity_type}"


def _request_faults(description: Description) -> Iterator[str]:
    texts = list(templates([description.request.url, description.request.body]))
    named = dict.fromkeys(name for text in texts for name in PLACEHOLDER.findall(text))
    if not named:
        yield "request: has no placeholder, so that it would ask the same for every record"
    for name in named:
        if name not in _known(description) | DERIVED and not name.startswith(OWN_FIELD):
            kinds = " and ".join(description.entity_types)
            yield f"request: {{{name}}} is no field of {kinds}; a field of the CRM's own is {{crm.{name}}}"
    for text in texts:
        if set(PLACEHOLDER.sub("", text)) & set("{}"):
            yield f"request: braces that are no placeholder in {text[:60]!r}"


def _known(description: Description) -> set[str]:
    return {field for entity_type in description.entity_types for field in fields_of(entity_type)}
