"""The statement that keeps, with all questions about a person, that the person told a provider not to be processed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from models.answer.row import Answer, AnswerState
from models.db.columns import new_id
from models.db.rows import insert, projection
from models.db.transaction import Transaction


@projection(Answer)
class OptOut:
    """A question about a person who opted out until `expires_at`, as a job found that was answered so at another one.

    `input_key` is the SHA-256 of the provider's input key.
    """

    id: str
    organization_id: str
    provider: str
    input_key: str
    asked_by: str
    detail: str
    answered_at: datetime
    expires_at: datetime
    state: AnswerState = AnswerState.ANSWERED
    matched: bool = False
    opted_out: bool = True
    findings: list[dict[str, Any]] | None = None


async def keep_opt_outs(tx: Transaction, opt_outs: Sequence[OptOut]) -> None:
    """Answer these questions by the opt-out, in place of what was answered before; not where a job is gone.

    What a job asks or waits for just now is left to it.
    """
    chosen = {(one.organization_id, one.provider, one.input_key): one for one in opt_outs}
    await insert(
        tx,
        [one for _, one in sorted(chosen.items())],
        then="AND EXISTS (SELECT 1 FROM job WHERE job.id = v.asked_by)"
        " ON CONFLICT (organization_id, provider, input_key) DO UPDATE SET state = 'answered', matched = FALSE,"
        " opted_out = TRUE, is_part = NULL, findings = NULL, detail = excluded.detail, asked_by = excluded.asked_by,"
        " answered_at = excluded.answered_at, expires_at = excluded.expires_at"
        " WHERE answer.state IN ('answered', 'maybe_charged')",
    )


def opt_out(
    organization_id: str, provider: str, input_key: str, job_id: str, detail: str, now: datetime, until: datetime
) -> OptOut:
    """The row of a question that has none yet."""
    return OptOut(new_id(), organization_id, provider, input_key, job_id, detail, now, until)
