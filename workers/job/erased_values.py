"""What of the results of jobs would bring an erased person back, and what the audit log says of what was withheld."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from models.db.transaction import Transaction
from resolvers.audit import record_audit
from resolvers.context import Services
from resolvers.erasure.kept_out import UNKNOWN, ProposedValues, kept_out
from workers.job.process import JobResult
from workers.job.record_changes import fields_after

# What would be written, and by field the id of the erasure that keeps it out.
Withheld = tuple[ProposedValues, Mapping[str, str]]


async def erased_in(tx: Transaction, services: Services, results: Sequence[JobResult]) -> list[list[Withheld]]:
    """For each result, what it would write, or put to a person, and would bring an erased person back."""
    proposed = [(index, values) for index, result in enumerate(results) for values in _proposed(result)]
    found: list[list[Withheld]] = [[] for _ in results]
    erased = await kept_out(services, [values for _, values in proposed], using=tx) if proposed else []
    for (index, values), fields in zip(proposed, erased, strict=True):
        if fields:
            found[index].append((values, fields))
    return found


def _proposed(result: JobResult) -> list[ProposedValues]:
    """What a result writes, and each source's values in the questions that it raises."""
    job = result.job
    writes = {name: decision.write.value for name, decision in result.decisions.items() if decision.write}
    asked: dict[str, dict[str, Any]] = {}
    for name, decision in result.decisions.items():
        for candidate in decision.question.candidates if decision.question else ():
            asked.setdefault(candidate.provider, {})[name] = candidate.value
        for answer in decision.question.whole.answers if decision.question and decision.question.whole else ():
            parts = {part: candidate.value for part, candidate in answer.parts.items()}
            asked.setdefault(answer.provider, {}).update(parts)
    found = [ProposedValues(job.organization_id, job.entity_type, job.record.state.fields, writes)] if writes else []
    held = fields_after(result)
    return found + [ProposedValues(job.organization_id, job.entity_type, held, values) for values in asked.values()]


async def note_withheld(tx: Transaction, services: Services, results: Sequence[JobResult], now: datetime) -> None:
    """One line in the audit log for each job and erasure for which values were withheld: how many, and never which."""
    for job in sorted((result.job for result in results), key=lambda job: job.organization_id):
        counted = Counter(kept.erasure_id for kept in job.withheld)
        for erasure_id, count in sorted(counted.items()):
            await record_audit(
                tx,
                job.organization_id,
                action="erasure.kept_out",
                subject=job.record_id if erasure_id == UNKNOWN else erasure_id,
                actor=None,
                origin=None,
                now=now,
                seals=services.audit_seals,
                details={"job": job.id, "record": job.record_id, "values": count},
            )
