"""The lines of the ledger, which are only ever added. See `models.credit` for what each kind changes."""

from collections.abc import Sequence
from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from enrichment.enums import CreditKind, EntityType, JobTrigger
from models.db.columns import Instant, id_field, to_micros
from models.db.paging import Keyset, Page
from models.db.printed import Printed
from models.db.rows import bulk, fetch, fetch_one, insert, projection, query_row, read_rows, select
from models.db.selected import Selectable
from models.db.statements import marks, one_of, texts
from models.db.transaction import Transaction
from models.db.wanted import EVERYTHING, Wanted
from models.db.where import Where


class CreditEntry(Model):
    """One line of the ledger."""

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    kind = fields.CharEnumField(CreditKind, max_length=16)
    amount = fields.BigIntField()
    reserved_change = fields.BigIntField(default=0)
    job_id = fields.CharField(max_length=36, null=True)
    record_id = fields.CharField(max_length=36, null=True)
    provider = fields.CharField(max_length=64, null=True)
    entity_type = fields.CharEnumField(EntityType, max_length=16, null=True)
    trigger = fields.CharEnumField(JobTrigger, max_length=32, null=True, source_field="trigger_kind")
    settles = fields.CharField(max_length=36, null=True)  # the reservation, or charge, that this line ends
    note = fields.TextField(null=True)
    actor = fields.CharField(max_length=255, null=True)
    idempotency_key = fields.CharField(max_length=255, null=True)
    created_at: datetime = Instant()
    stated_thousandths = fields.BigIntField(null=True)  # of a credit: what the provider says the call consumed
    uncounted = fields.BooleanField(null=True)  # a line of before the daily counts: counted apart, once

    class Meta:
        table = "credit_entry"


@projection(CreditEntry)
class EntryRow:
    """See CreditEntry."""

    id: str
    organization_id: str
    kind: CreditKind
    amount: int
    created_at: datetime
    reserved_change: int = 0
    job_id: str | None = None
    record_id: str | None = None
    provider: str | None = None
    entity_type: EntityType | None = None
    trigger: JobTrigger | None = None
    settles: str | None = None
    note: str | None = None
    actor: str | None = None
    idempotency_key: str | None = None
    stated_thousandths: int | None = None


@projection(CreditEntry)
class OpenReservation:
    """A reservation, which nothing may have settled yet."""

    id: str
    organization_id: str


@query_row
class ProviderDay:
    """Credits of one provider on one day: charged, and set aside and not yet settled."""

    provider: str
    spent: int
    reserved: int


@query_row
class _Charge:
    job_id: str
    provider: str
    entity_type: EntityType
    credits: int


@query_row
class _BudgetReserved:
    budget_id: str
    reserved: int


async def entry_page(organization_id: str, keyset: Keyset, wanted: Wanted | Printed = EVERYTHING) -> Page[EntryRow]:
    """A page of the organization's lines, newest first."""
    return await _ENTRIES.page(organization_id, Where(), keyset, wanted)


async def shown_entries(organization_id: str, entry_ids: Sequence[str], wanted: Wanted = EVERYTHING) -> list[EntryRow]:
    """Those of the lines that are the organization's."""
    return await _ENTRIES.fetch(organization_id, Where(f" AND {one_of('id')}", (texts(entry_ids),)), wanted)


_ENTRIES = Selectable(EntryRow, "credit_entry")


async def insert_entries(tx: Transaction, entries: Sequence[EntryRow]) -> list[EntryRow]:
    """Append lines; those that a unique index knows already are left out. Returns the ones appended."""
    then = f"ON CONFLICT DO NOTHING RETURNING {select(EntryRow)}"
    return read_rows(EntryRow, await insert(tx, entries, then=then))


async def entry_of_key(organization_id: str, idempotency_key: str) -> EntryRow | None:
    """The line that was added with this idempotency key."""
    sql = f"SELECT {select(EntryRow)} FROM credit_entry WHERE organization_id = ? AND idempotency_key = ?"
    return await fetch_one(EntryRow, sql, [organization_id, idempotency_key])


async def reservations(tx: Transaction, wanted: Sequence[OpenReservation]) -> list[EntryRow]:
    """Those of these reservations of organizations that are there, settled or not."""
    if not wanted:
        return []
    source, parameter = bulk(wanted)
    return await fetch(
        EntryRow,
        f"SELECT {select(EntryRow, 'credit_entry')} FROM {source} JOIN credit_entry ON credit_entry.id = v.id"
        " AND credit_entry.organization_id = v.organization_id WHERE credit_entry.kind = 'reservation'",
        [parameter],
        using=tx,
    )


async def open_reservations(
    tx: Transaction, job_ids: Sequence[str], *, with_pending: bool = False
) -> list[OpenReservation]:
    """Reservations of these jobs that nothing settles, and whose call is not under way.

    `with_pending`: also those that a pending answer still needs.
    """
    if not job_ids:
        return []
    pending = "EXISTS (SELECT 1 FROM answer a WHERE a.reservation_id = r.id AND a.state = 'pending')"
    calling = "EXISTS (SELECT 1 FROM call_intent i WHERE i.id = r.id)"
    settled_elsewhere = f"({calling} AND NOT {pending})" if with_pending else f"({calling} OR {pending})"
    return await fetch(
        OpenReservation,
        f"SELECT {select(OpenReservation, 'r')} FROM credit_entry r WHERE r.kind = 'reservation'"
        f" AND r.job_id IN ({marks(job_ids)}) AND NOT EXISTS (SELECT 1 FROM credit_entry s WHERE s.settles = r.id)"
        f" AND NOT {settled_elsewhere}",
        list(job_ids),
        using=tx,
    )


async def provider_days(
    tx: Transaction, organization_id: str, providers: Sequence[str], since: datetime
) -> dict[str, ProviderDay]:
    """Credits of these providers since the start of a day, by provider; one without lines is left out."""
    if not providers:
        return {}
    found = await fetch(
        ProviderDay,
        "SELECT provider, SUM(CASE WHEN kind = 'charge' THEN -amount ELSE 0 END) AS spent,"
        f" SUM(reserved_change) AS reserved FROM credit_entry WHERE organization_id = ? AND created_at >= ?"
        f" AND provider IN ({marks(providers)}) GROUP BY provider",
        [organization_id, to_micros(since), *providers],
        using=tx,
    )
    return {row.provider: row for row in found}


async def reserved_of_budgets(
    tx: Transaction, organization_id: str, budget_ids: Sequence[str], since: datetime
) -> dict[str, int]:
    """Credits set aside since then for calls that have not ended, by the budget of their job."""
    if not budget_ids:
        return {}
    found = await fetch(
        _BudgetReserved,
        "SELECT j.budget_id, SUM(r.reserved_change) AS reserved FROM credit_entry r JOIN job j ON j.id = r.job_id"
        " WHERE r.organization_id = ? AND r.kind = 'reservation' AND r.created_at >= ?"
        " AND NOT EXISTS (SELECT 1 FROM credit_entry s WHERE s.settles = r.id)"
        f" AND j.budget_id IN ({marks(budget_ids)}) GROUP BY j.budget_id",
        [organization_id, to_micros(since), *budget_ids],
        using=tx,
    )
    return {row.budget_id: row.reserved for row in found}


async def charges_of(job_ids: Sequence[str]) -> dict[str, dict[tuple[str, EntityType], int]]:
    """The credits that each of these jobs has been charged, by provider and by what it was asked about.

    A job pays a provider once for an answer about its record, and once for one about a person's company, an account.
    """
    found: dict[str, dict[tuple[str, EntityType], int]] = {}
    if job_ids:
        sql = (
            "SELECT job_id, provider, entity_type, -amount AS credits FROM credit_entry WHERE kind = 'charge'"
            f" AND job_id IN ({marks(job_ids)})"
        )
        for row in await fetch(_Charge, sql, list(job_ids)):
            found.setdefault(row.job_id, {})[row.provider, row.entity_type] = row.credits
    return found
