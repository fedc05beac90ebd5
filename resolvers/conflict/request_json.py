"""A reviewer's decision as it is stored with an operation on many conflicts, until that has ended."""

from collections.abc import Mapping
from typing import Any

from enrichment.enums import ResolutionAction
from resolvers.conflict.choice import UNSET, PartResolution, Resolution


def to_json(resolution: Resolution) -> dict[str, Any]:
    """The decision as JSON; what was not given is left out."""
    shown = _given(action=resolution.action, candidateId=resolution.candidate_id, note=resolution.note)
    if resolution.value is not UNSET:
        shown["value"] = resolution.value
    if resolution.parts is not None:
        shown["parts"] = [_part_to_json(part) for part in resolution.parts]
    return shown


def from_json(stored: Mapping[str, Any]) -> Resolution:
    """What `to_json` was given."""
    action = stored.get("action")
    parts = stored.get("parts")
    return Resolution(
        action=None if action is None else ResolutionAction(action),
        candidate_id=stored.get("candidateId"),
        value=stored.get("value", UNSET),
        note=stored.get("note"),
        parts=None if parts is None else [_part_from_json(part) for part in parts],
    )


def _part_to_json(part: PartResolution) -> dict[str, Any]:
    shown = _given(field=part.field, action=part.action, candidateId=part.candidate_id)
    return shown if part.value is UNSET else {**shown, "value": part.value}


def _part_from_json(stored: Mapping[str, Any]) -> PartResolution:
    return PartResolution(
        stored["field"], ResolutionAction(stored["action"]), stored.get("candidateId"), stored.get("value", UNSET)
    )


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
