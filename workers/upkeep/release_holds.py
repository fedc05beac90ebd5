"""What jobs that end without their answers leave behind: open questions and reserved credits."""

from collections.abc import Sequence
from datetime import datetime

from models.answer.cache import delete_questions
from models.db.transaction import Transaction, unit_of_work
from resolvers.context import Services
from resolvers.credit.settle import release_open


async def release_holds(services: Services, job_ids: Sequence[str]) -> None:
    """Release the credits reserved for these jobs, and forget the answers that they wait for."""
    if job_ids:
        await _release(job_ids, services.now(), services.monthly_credit_grant)


@unit_of_work
async def _release(tx: Transaction, job_ids: Sequence[str], now: datetime, monthly_grant: int) -> None:
    await release_open(tx, job_ids, now=now, monthly_grant=monthly_grant, with_pending=True)
    await delete_questions(tx, job_ids)
