"""The decision on a conflict as a client sends it over REST."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from msgspec import UNSET, Meta, UnsetType

from enrichment.enums import ResolutionAction
from service.http.shape import Id, Sent
from service.rest.description.json_schema import Described, any_case_schema, case_pattern, in_any_case, reference
from service.rest.shapes.conflict import PROPOSED_EXAMPLE

_Note: TypeAlias = Annotated[str | None, Meta(description="Kept with the decision; at most 2,000 characters.")]


def _this(action: ResolutionAction) -> Meta:
    return Meta(pattern=f"^{case_pattern(action)}$", description=f"`{action}`, in any case.")


class AcceptCandidate(Sent, frozen=True):
    """Take what a provider proposes."""

    action: Annotated[str, _this(ResolutionAction.ACCEPT_CANDIDATE)]
    candidate_id: (
        Annotated[Id | None, Meta(description="Without it: the recommended candidate, or the only one.")] | UnsetType
    ) = UNSET
    note: _Note | UnsetType = UNSET


class KeepCurrent(Sent, frozen=True):
    """Keep the value that is there."""

    action: Annotated[str, _this(ResolutionAction.KEEP_CURRENT)]
    note: _Note | UnsetType = UNSET


class CustomValue(Sent, frozen=True):
    """Set another value."""

    action: Annotated[str, _this(ResolutionAction.CUSTOM_VALUE)]
    value: Annotated[
        Any,
        Meta(
            description="Must be valid for the field; of an address or an employment an object by field.",
            extra_json_schema={"not": {"type": "null"}},
        ),
    ]
    note: _Note | UnsetType = UNSET


class PartDecision(Sent, frozen=True):
    """The decision about one field of an address or an employment."""

    field: str
    action: Annotated[str, in_any_case(ResolutionAction)]
    candidate_id: (
        Annotated[Id | None, Meta(description="With `accept_candidate`; without it the recommended or only one.")]
        | UnsetType
    ) = UNSET
    value: Annotated[Any, Meta(description="With `custom_value`; must be valid for the field.")] | UnsetType = UNSET


class DecideParts(Sent, frozen=True):
    """Decide an address or an employment part by part. A part that is not named keeps its value."""

    parts: Annotated[list[PartDecision], Meta(min_length=1)]
    note: _Note | UnsetType = UNSET


_AT_ONCE = (AcceptCandidate, KeepCurrent, CustomValue)
_DECISIONS = (*_AT_ONCE, DecideParts)
RESOLUTION_KEYS = tuple(dict.fromkeys(key for decision in _DECISIONS for key in decision.keys_sent()))
RESOLUTION_REQUEST = Described(
    "ResolutionRequest",
    {
        "ResolutionRequest": {
            "description": "The decision. An empty object applies the recommendation.",
            "type": "object",
            # Members of all choices once more: generators that make one class of a choice require them all otherwise.
            "properties": {
                "action": any_case_schema(ResolutionAction),
                "candidateId": {"type": ["string", "null"], "format": "uuid"},
                "value": {},
                "parts": {"type": "array", "items": reference(PartDecision.__name__), "minItems": 1},
                "note": {"type": ["string", "null"]},
            },
            "anyOf": [
                *(reference(decision.__name__) for decision in _AT_ONCE),
                {"type": "object", "maxProperties": 0},
                reference(DecideParts.__name__),
            ],
        }
    },
    _DECISIONS,
)
NOTHING_TO_SAY = Described(
    "NothingToSay", {"NothingToSay": {"description": "An empty object.", "type": "object", "maxProperties": 0}}
)
REQUEST_EXAMPLES: Mapping[str, Any] = {
    "accept": AcceptCandidate(
        action=ResolutionAction.ACCEPT_CANDIDATE, candidate_id=PROPOSED_EXAMPLE.id, note="Checked on their web site"
    ),
    "keep": KeepCurrent(action=ResolutionAction.KEEP_CURRENT),
    "custom": CustomValue(action=ResolutionAction.CUSTOM_VALUE, value=350),
    "parts": DecideParts(
        parts=[
            PartDecision(field="city", action=ResolutionAction.KEEP_CURRENT),
            PartDecision(field="postalCode", action=ResolutionAction.CUSTOM_VALUE, value="111 53"),
        ]
    ),
    "recommended": {},
}
