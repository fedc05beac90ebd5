"""A ledger with all kinds of lines, and somebody with the database in their hands."""

from arq.connections import ArqRedis

from enrichment.enums import EntityType
from models.db.connection import dialect
from models.db.statements import execute
from resolvers.context import Context
from resolvers.credit.api import grant_credits
from resolvers.credit.verify import check_ledger
from resolvers.job.enrich import RecordSelection, enrich_records
from tests.support.factories import Clock, StandIn, configure, context, send, services, work

ACCOUNT = EntityType.ACCOUNT
KNOWS = {f"company{number}.com": {"city": "Berlin"} for number in range(3)}


async def filled(redis: ArqRedis, clock: Clock) -> Context:
    """Two providers, charges of yesterday and of today, two grants, and a budget with two jobs."""
    cheap, dear = StandIn(id="cheap", price=1, knows=KNOWS), StandIn(id="dear", price=3, knows={})
    ctx = context(services(redis, cheap, dear, now=clock))
    await configure(ctx, strategy="consensus", cooldownHours=0)
    await grant_credits(ctx, amount=5, note=None, idempotency_key="k1")
    await send(ctx, "account", "A-0", domain="company0.com")
    await work(ctx.services)
    clock.ahead_seconds += 86_400
    dear.knows = KNOWS
    for number in (1, 2):
        await send(ctx, "account", f"A-{number}", domain=f"company{number}.com")
    await work(ctx.services)
    chosen = RecordSelection(ACCOUNT, external_ids=("A-1", "A-2"))
    await enrich_records(ctx, chosen, force=True, max_credits=50)
    await work(ctx.services)
    await grant_credits(ctx, amount=7, note=None, idempotency_key="k2")
    assert (await check_ledger("acme")).faults == []
    return ctx


async def unguarded(*statements: str) -> None:
    """What someone with the database in their hands could do."""
    for table in ("credit_entry", "audit_entry"):
        if dialect() == "sqlite":
            await execute(f"DROP TRIGGER IF EXISTS {table}_no_update")
            await execute(f"DROP TRIGGER IF EXISTS {table}_no_delete")
        else:
            await execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
    for statement in statements:
        await execute(statement)
    if dialect() != "sqlite":
        for table in ("credit_entry", "audit_entry"):
            await execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_append_only")


async def charge(ctx: Context, external_id: str) -> None:
    """Ask the providers again about one of the three records."""
    await enrich_records(ctx, RecordSelection(ACCOUNT, external_ids=(external_id,)), force=True)
    await work(ctx.services)
