"""What clients send about conflicts: which ones, and how they decide them."""

from datetime import datetime
from typing import Any

import strawberry

from models.conflict import queries
from resolvers.conflict.choice import UNSET
from resolvers.conflict.choice import PartResolution as PartChoice
from resolvers.conflict.choice import Resolution as Choice
from schema.base.enums import ConflictReason, ConflictStatus, EntityType, ResolutionAction
from schema.base.scalars import JSON


@strawberry.input(description="Which conflicts: all that is given must hold. Without `status` the open ones.")
class ConflictFilter:
    entity_type: EntityType | None = None
    external_id: strawberry.ID | None = None
    record_id: strawberry.ID | None = None
    job_id: strawberry.ID | None = None
    field: str | None = strawberry.field(
        default=None, description="A field, which also finds the conflict of its unit; or `address`, `employment`."
    )
    status: list[ConflictStatus] | None = None
    reason: list[ConflictReason] | None = None
    provider: str | None = None
    search: str | None = strawberry.field(
        default=None, description="Part of a name, an e-mail, a domain or the external id of the record."
    )
    created_after: datetime | None = None
    created_before: datetime | None = None

    def read(self) -> queries.ConflictFilter:
        return queries.ConflictFilter(
            entity_types=(self.entity_type,) if self.entity_type else (),
            external_id=self.external_id,
            record_id=self.record_id,
            job_id=self.job_id,
            field=self.field,
            status=tuple(self.status or ()),
            reason=tuple(self.reason or ()),
            provider=self.provider,
            search=self.search,
            created_after=self.created_after,
            created_before=self.created_before,
        )


def _given(action: ResolutionAction | None, value: Any) -> Any:
    """The value of a decision. A null that goes with no custom value is a variable that was left empty, not a value."""
    custom = action is ResolutionAction.CUSTOM_VALUE
    return value if value is not strawberry.UNSET and (custom or value is not None) else UNSET


@strawberry.input(description="The decision about one field of an address or an employment.")
class PartResolutionInput:
    field: str
    action: ResolutionAction
    candidate_id: strawberry.ID | None = None
    value: JSON | None = strawberry.UNSET

    def read(self) -> PartChoice:
        return PartChoice(
            self.field, self.action, candidate_id=self.candidate_id, value=_given(self.action, self.value)
        )


@strawberry.input(
    description="An `action`: a candidate (`candidateId`), the current value, or a value of one's own (`value`; of a"
    " unit an object by field). Or `parts` of a unit, each by itself; those that are not named keep their values."
)
class ResolutionInput:
    action: ResolutionAction | None = None
    candidate_id: strawberry.ID | None = None
    value: JSON | None = strawberry.UNSET
    parts: list[PartResolutionInput] | None = None
    note: str | None = None

    def read(self) -> Choice:
        return Choice(
            self.action,
            candidate_id=self.candidate_id,
            value=_given(self.action, self.value),
            note=self.note,
            parts=None if self.parts is None else [part.read() for part in self.parts],
        )
