"""The log of an organization, once it can be read to its end."""

from models.event.cursor import OLDEST
from models.event.read import rows_after
from tests.support.waiting import until


async def settled(org: str = "acme") -> None:
    """Wait until no transaction is under way, of other tests in the same PostgreSQL, that holds back the log."""

    async def is_settled() -> bool:
        return not (await rows_after(org, OLDEST, 100_000)).held

    await until(is_settled)
