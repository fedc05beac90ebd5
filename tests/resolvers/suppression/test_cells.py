"""Suppressed is suppressed, also in a cell that cannot be read."""

import pytest
from arq.connections import ArqRedis

from enrichment.enums import JobStatus
from resolvers.suppression.api import Values, suppress
from tests.support.factories import StandIn, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        ("email", "sam@acme.com; other@firm.com"),
        ("email", "sam@acme.com (old)"),
        ("website", "beispiel.com, firm.com"),
        ("phone", "4930901820.0"),
        ("phone", '="+49 30 901820"'),
        ("phone", "+49 30 901820 / +49 30 901821"),
        ("phone", "+44 20 7946 0018 or +44 20 7946 0019"),
    ],
)
async def test_nobody_is_asked_about_a_record_whose_cell_names_it(redis: ArqRedis, field: str, cell: str) -> None:
    source = StandIn(remote=True)
    ctx = context(services(redis, source))
    await suppress(ctx, Values(["sam@acme.com"], ["beispiel.com"], ["+49 30 901820", "+44 20 7946 0018"]))
    sent = await send(ctx, "contact", "1", lastName="Doe", country="Germany", **{field: cell})
    await work(ctx.services)
    assert ((await job_of(sent)).status, source.asked) == (JobStatus.SKIPPED, [])
