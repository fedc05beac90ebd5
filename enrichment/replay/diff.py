"""The result of a replay: which fields would have ended otherwise, and how."""

from dataclasses import dataclass, field
from enum import StrEnum

from enrichment.enums import EntityType, FieldOutcomeReason
from enrichment.replay.snapshot import FieldEffect
from enrichment.replay.stored import StoredSnapshot


class DifferenceKind(StrEnum):
    """What would have been otherwise."""

    WRITTEN = "written"  # a value would have been written that was not
    NOT_WRITTEN = "not_written"
    WRITTEN_DIFFERENTLY = "written_differently"  # another value, source, confidence or time of observation
    CONFLICT_RAISED = "conflict_raised"  # a person would have been asked who was not
    CONFLICT_NOT_RAISED = "conflict_not_raised"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one decision that would have ended otherwise.

    `why`: in a word, what became of the field in the replay. `certain` is False where an answer that nobody knows
    could change it.
    """

    snapshot: StoredSnapshot
    entity_type: EntityType
    field: str
    kind: DifferenceKind
    actual: FieldEffect | None
    simulated: FieldEffect | None
    why: str
    certain: bool


@dataclass(slots=True)
class DifferenceTally:
    """What happened in fact, or in the replay."""

    jobs_run: int = 0  # jobs that got as far as asking
    values_written: int = 0
    conflicts_raised: int = 0


@dataclass(slots=True)
class Replayed:
    """What a replay came to. `differences` are in order of time."""

    jobs: int = 0
    actual: DifferenceTally = field(default_factory=DifferenceTally)
    simulated: DifferenceTally = field(default_factory=DifferenceTally)
    differences: list[Difference] = field(default_factory=list)


def kinds_of(
    then: FieldEffect | None, now: FieldEffect | None, opened_then: bool, opened_now: bool
) -> list[DifferenceKind]:
    """In what one field differs: how it ended in fact and now, and whether a conflict was opened about it."""
    wrote_then = then is not None and then.reason is FieldOutcomeReason.WRITTEN
    wrote_now = now is not None and now.reason is FieldOutcomeReason.WRITTEN
    kinds: list[DifferenceKind] = []
    if wrote_then and wrote_now and then != now:
        kinds.append(DifferenceKind.WRITTEN_DIFFERENTLY)
    elif wrote_then != wrote_now:
        kinds.append(DifferenceKind.WRITTEN if wrote_now else DifferenceKind.NOT_WRITTEN)
    if opened_then != opened_now:
        kinds.append(DifferenceKind.CONFLICT_RAISED if opened_now else DifferenceKind.CONFLICT_NOT_RAISED)
    return kinds
