"""The calls that providers may have counted, though nothing was charged for them, one by one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from enrichment.enums import EntityType
from models.credit.maybe_charged import ReleasedLine, released_lines
from models.db.period import Period
from resolvers.credit.settle import MAYBE_CHARGED, WRONG_ENTITY

MAYBE = (MAYBE_CHARGED, WRONG_ENTITY)  # notes of releases
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class MaybeChargedCall:
    """A call that its provider may have counted: `credits` at most.

    `at` is when that became known, `entity_type` of which kind of record the question was, and `id` that of the
    ledger's line. An erased record's job and record are there no more.
    """

    id: str
    provider: str
    entity_type: EntityType | None
    job_id: str | None
    record_id: str | None
    credits: int
    why: str
    at: datetime

    @classmethod
    def of(cls, line: ReleasedLine) -> Self:
        return cls(
            line.id,
            line.provider or "",
            line.entity_type,
            line.job_id,
            line.record_id,
            -line.reserved_change,
            line.note or "",
            line.created_at,
        )


async def calls_of(period: Period) -> list[MaybeChargedCall]:
    """The newest of these calls in the period."""
    return [MaybeChargedCall.of(line) for line in await released_lines(MAYBE, period, MOST_SHOWN)]
