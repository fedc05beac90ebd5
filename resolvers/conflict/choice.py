"""What a reviewer may choose in a conflict, checked against its candidates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import Refused, normalize
from enrichment.enums import SOURCE_REVIEWER, ResolutionAction
from models.conflict.table import Conflict
from resolvers.conflict.settle import SettledValue, Settlement
from resolvers.errors import Fault, ValidationFailed
from resolvers.validation import check_text

UNSET: Any = object()
MAX_NOTE = 2000


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a reviewer asks for. Without `candidate_id` an accepted candidate is the recommended or only one."""

    action: ResolutionAction
    candidate_id: str | None = None
    value: Any = UNSET
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A resolution that the conflict allows. `value` is what the field holds afterwards; None leaves it empty."""

    action: ResolutionAction
    value: Any
    candidate_id: str | None
    note: str | None

    def by_reviewer(self, user: str, now: datetime) -> Settlement:
        """How the conflict ends. The reviewer holds the value from now on, also where it is the current one."""
        held = SettledValue(SOURCE_REVIEWER, 1.0, now, actor=user)
        return Settlement(
            action=self.action,
            value=self.value,
            candidate_id=self.candidate_id,
            note=self.note,
            user=user,
            settled_at=now,
            write=None if self.value is None else held,
        )


def choose(conflict: Conflict, resolution: Resolution | None) -> Choice:
    """The choice that a resolution makes in this conflict; None follows the recommendation.

    Raises ValidationFailed naming the fault.
    """
    if resolution is None:
        accept = conflict.recommended_id is not None
        action = ResolutionAction.ACCEPT_CANDIDATE if accept else ResolutionAction.KEEP_CURRENT
        resolution = Resolution(action)
    if resolution.note is not None:
        check_text(resolution.note, "note", longest=MAX_NOTE)
    if resolution.action is ResolutionAction.CUSTOM_VALUE:
        return Choice(resolution.action, _custom_value(conflict, resolution.value), None, resolution.note)
    if resolution.value is not UNSET:
        raise _invalid("value", "goes with custom_value only")
    if resolution.action is ResolutionAction.KEEP_CURRENT:
        if resolution.candidate_id is not None:
            raise _invalid("candidateId", "goes with accept_candidate only")
        return Choice(resolution.action, current_value(conflict), None, resolution.note)
    candidate = _candidate(conflict, resolution.candidate_id)
    return Choice(resolution.action, candidate["value"], candidate["id"], resolution.note)


def current_value(conflict: Conflict) -> Any:
    """The value that the field held when the conflict was raised; None: it was empty."""
    return conflict.current["value"] if conflict.current else None


def _invalid(path: str, message: str) -> ValidationFailed:
    return ValidationFailed(f"{path}: {message}", faults=[Fault(path, message)])


def _custom_value(conflict: Conflict, raw: Any) -> Any:
    if raw is UNSET:
        raise _invalid("value", "custom_value needs a value")
    try:
        value = normalize(conflict.entity_type, conflict.field, raw, hints=conflict.record.fields)
    except Refused as refusal:
        raise _invalid("value", str(refusal)) from refusal
    if value is None:
        raise _invalid("value", "is empty or a placeholder")
    return value


def _candidate(conflict: Conflict, candidate_id: str | None) -> Mapping[str, Any]:
    wanted = candidate_id or conflict.recommended_id
    if wanted is None and len(conflict.candidates) == 1:
        return conflict.candidates[0]
    if wanted is None:
        raise _invalid("candidateId", "accept_candidate needs one: there are several candidates")
    for candidate in conflict.candidates:
        if candidate["id"] == wanted.strip().lower():
            return candidate
    raise _invalid("candidateId", "is no candidate of this conflict")
