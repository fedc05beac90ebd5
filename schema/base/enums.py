"""The closed lists of the domain as GraphQL enums: clients write the names, `IN_PROGRESS`."""

import strawberry

from enrichment.config import MaybeCharged, QuestionOrder, RuleAction
from enrichment.enums import (
    BreakerState,
    ConflictReason,
    ConflictStatus,
    CreditKind,
    EntityType,
    FieldOutcomeReason,
    FieldPolicy,
    FieldUnit,
    JobStatus,
    JobTrigger,
    Recommendation,
    ResolutionAction,
    StepOutcome,
    Strategy,
    SuppressionKind,
)
from enrichment.replay.diff import DifferenceKind
from enrichment.undo import UndoSkipReason
from models.conflict.order import ConflictOrder
from models.job.order import JobOrder
from models.record.order import RecordOrder
from resolvers.record.store import RecordOutcome

__all__ = [
    "BreakerState",
    "ConflictOrder",
    "ConflictReason",
    "ConflictStatus",
    "CreditKind",
    "DifferenceKind",
    "EntityType",
    "FieldOutcomeReason",
    "FieldPolicy",
    "FieldUnit",
    "JobOrder",
    "JobStatus",
    "JobTrigger",
    "MaybeCharged",
    "QuestionOrder",
    "Recommendation",
    "RecordOrder",
    "RecordOutcome",
    "ResolutionAction",
    "RuleAction",
    "StepOutcome",
    "Strategy",
    "SuppressionKind",
    "UndoSkipReason",
]

strawberry.enum(EntityType, description="Which kind of CRM entity a record is.")
strawberry.enum(
    JobStatus,
    description="Where a job is. COMPLETED, PARTIAL, FAILED, SKIPPED and CANCELLED are final.",
)
strawberry.enum(JobTrigger, description="What started a job.")
strawberry.enum(FieldPolicy, description="What enrichment may do to a field.")
strawberry.enum(StepOutcome, description="How asking one provider ended.")
strawberry.enum(
    FieldOutcomeReason,
    description="How one wanted field of one job ended: exactly one reason each.",
)
strawberry.enum(Strategy, description="How many providers are asked for a field.")
strawberry.enum(MaybeCharged, description="What happens to a paid question whose call ended without a reply.")
strawberry.enum(
    QuestionOrder, description="PRIORITY: that of `providers`. VALUE: free ones, then whose values cost least."
)
strawberry.enum(RuleAction, description="What a rule does with a question that would otherwise go to a person.")
strawberry.enum(BreakerState, description="Whether a provider is asked: CLOSED asks, OPEN does not, HALF_OPEN tries.")
strawberry.enum(ConflictStatus, description="Whether a conflict still waits for a person.")
strawberry.enum(FieldUnit, description="Fields that are one thing: decided, asked about and resolved together.")
strawberry.enum(ConflictReason, description="Why a person must decide.")
strawberry.enum(
    Recommendation, description="What is likelier to be right: a candidate, the current value, or NONE of them clearly."
)
strawberry.enum(ResolutionAction, description="What a reviewer chose.")
strawberry.enum(CreditKind, description="What one line of the credit ledger is.")
strawberry.enum(SuppressionKind, description="What can be put on the suppression list.")
strawberry.enum(RecordOutcome, description="What became of one record that was sent.")
strawberry.enum(UndoSkipReason, description="Why an undo left a field as it is.")
strawberry.enum(DifferenceKind, description="What would have been otherwise.")
strawberry.enum(
    JobOrder,
    description="In which order jobs are listed. By FINISHED_AT those that have not ended count as the oldest.",
)
strawberry.enum(
    RecordOrder,
    description="In which order records are listed. By LAST_ENRICHED_AT those that never were count as the oldest.",
)
strawberry.enum(ConflictOrder, description="In which order conflicts are listed.")
