"""What jobs leave behind that end without their answers: questions in hand and credits set aside."""

from collections.abc import Sequence

from models.answer.cache import delete_questions
from models.db.transaction import Transaction, unit_of_work
from resolvers.context import Services
from resolvers.credit.settle import release_open


async def release_holds(services: Services, job_ids: Sequence[str]) -> None:
    """Ask no more for answers that these jobs wait for, and give back what is held for them."""
    if not job_ids:
        return
    now = services.now()

    async def body(tx: Transaction) -> None:
        await release_open(tx, job_ids, now=now, monthly_grant=services.monthly_credit_grant, with_pending=True)
        await delete_questions(tx, job_ids)

    await unit_of_work(body)()
