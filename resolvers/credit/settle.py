"""End reservations: charge them for a match, release them otherwise. The accounts are locked first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from enrichment.enums import CreditKind
from models.credit.account import AccountRow, save_accounts
from models.credit.budget import change_held_of_job
from models.credit.entry import EntryRow, OpenReservation, insert_entries, open_reservations, reservations
from models.credit.intent import IntentRow, take_intents
from models.db.columns import new_id
from models.db.transaction import Transaction
from resolvers.credit.account import lock_accounts, moment_in

# Notes of releases: what the provider may have counted, or did, though nothing is charged for it here.
MAYBE_CHARGED = "the provider may have charged it"
WRONG_ENTITY = "answered about somebody else"

_MOST_STATED = 1_000_000_000.0  # a figure above it is a mistake of whoever stated it


@dataclass(frozen=True, slots=True)
class CreditSettlement:
    """The end of a reservation: charged for a match, released otherwise.

    `credits` is what the match costs where that may be less than was reserved; None: all of it. `note` is kept with
    the line where its reason is not plain: a charge without a match, a release of what the provider may have counted.
    `stated`: the credits that the provider says the call consumed, which may be a fraction.
    """

    reservation_id: str
    charge: bool
    credits: int | None = None
    note: str | None = None
    stated: float | None = None


async def settle(
    tx: Transaction,
    organization_id: str,
    settlements: Sequence[CreditSettlement],
    *,
    now: datetime,
    monthly_grant: int,
) -> dict[str, int]:
    """As `settle_all`, for one organization."""
    return await settle_all(tx, {organization_id: settlements}, now=now, monthly_grant=monthly_grant)


async def settle_all(
    tx: Transaction,
    settlements: Mapping[str, Sequence[CreditSettlement]],
    *,
    now: datetime,
    monthly_grant: int,
) -> dict[str, int]:
    """Charge or release reservations, by organization, each once however often it is asked for.

    A charge is never more than was reserved; what it leaves of that is released. A charge that the job has paid
    this provider already becomes a release, which says that the provider may have counted a second one. Returns the
    credits charged, by reservation; a reservation that was settled before is not in it.
    """
    wanted = {settlement.reservation_id: settlement for of_one in settlements.values() for settlement in of_one}
    if not wanted:
        return {}
    accounts = await lock_accounts(tx, [known for known, of_one in settlements.items() if of_one], now, monthly_grant)
    found = await _reservations(
        tx,
        [
            OpenReservation(settlement.reservation_id, organization_id)
            for organization_id, of_one in settlements.items()
            for settlement in of_one
        ],
    )
    reserved = [
        replace(
            entry,
            note=wanted[entry.id].note,
            stated_thousandths=_thousandths(wanted[entry.id].stated),
            created_at=moment_in(accounts[entry.organization_id], now),
        )
        for entry in found
    ]
    costs = {entry.id: _cost(entry, wanted[entry.id]) for entry in reserved}
    settled = await insert_entries(tx, [_charge(entry, costs[entry.id]) for entry in reserved if costs[entry.id]])
    charged = {entry.settles: entry for entry in settled}
    uncharged = [entry for entry in reserved if entry.id not in charged]
    settled += await insert_entries(tx, [_release(entry, unpaid=bool(costs[entry.id])) for entry in uncharged])
    rests = [_rest(entry, charged[entry.id]) for entry in reserved if entry.id in charged]
    done: dict[str, list[EntryRow]] = {organization_id: [] for organization_id in accounts}
    for entry in settled + await insert_entries(tx, [rest for rest in rests if rest.reserved_change]):
        done[entry.organization_id].append(entry)
        if entry.kind is CreditKind.RELEASE:
            await change_held_of_job(tx, entry.organization_id, entry.job_id, entry.reserved_change)
    await save_accounts(tx, [_changed_by(account, done[known]) for known, account in accounts.items()])
    return {entry.settles: -entry.amount for entry in settled if entry.settles is not None}


async def _reservations(tx: Transaction, wanted: Sequence[OpenReservation]) -> list[EntryRow]:
    """The lines of these reservations, whose calls end now. The ledger has those that older versions made."""
    entries = {intent.id: _entry(intent) for intent in await take_intents(tx, wanted)}
    others = await reservations(tx, [reservation for reservation in wanted if reservation.id not in entries])
    return [*entries.values(), *others]


def _entry(intent: IntentRow) -> EntryRow:
    return EntryRow(
        id=intent.id,
        organization_id=intent.organization_id,
        kind=CreditKind.RESERVATION,
        amount=0,
        created_at=intent.reserved_at,
        reserved_change=intent.credits,
        job_id=intent.job_id,
        record_id=intent.record_id,
        provider=intent.provider,
        entity_type=intent.entity_type,
        trigger=intent.trigger,
    )


def _cost(reservation: EntryRow, settlement: CreditSettlement) -> int:
    """The credits to charge; 0 for a release."""
    if not settlement.charge:
        return 0
    reserved = reservation.reserved_change
    return reserved if settlement.credits is None else min(settlement.credits, reserved)


def _charge(reservation: EntryRow, cost: int) -> EntryRow:
    return replace(
        reservation,
        id=new_id(),
        kind=CreditKind.CHARGE,
        amount=-cost,
        reserved_change=-cost,
        settles=reservation.id,
    )


def _release(reservation: EntryRow, *, unpaid: bool) -> EntryRow:
    """A release; `unpaid`: of what would have been charged, had the job not paid this provider already."""
    return replace(
        reservation,
        note=MAYBE_CHARGED if unpaid else reservation.note,
        id=new_id(),
        kind=CreditKind.RELEASE,
        amount=0,
        reserved_change=-reservation.reserved_change,
        settles=reservation.id,
    )


def _rest(reservation: EntryRow, charge: EntryRow) -> EntryRow:
    """The release of what a charge leaves of its reservation. It settles the charge, as the charge settled that."""
    left = reservation.reserved_change + charge.reserved_change
    return replace(
        reservation,
        id=new_id(),
        kind=CreditKind.RELEASE,
        amount=0,
        reserved_change=-left,
        settles=charge.id,
        note=None,
        stated_thousandths=None,
    )


def _thousandths(stated: float | None) -> int | None:
    return None if stated is None else round(min(max(stated, 0.0), _MOST_STATED) * 1000)


def _changed_by(account: AccountRow, entries: Sequence[EntryRow]) -> AccountRow:
    for entry in entries:
        spent = -entry.amount
        balance = account.balance - spent
        account = replace(
            account,
            balance=balance,
            monthly_balance=max(min(account.monthly_balance - spent, balance), 0),
            reserved=account.reserved + entry.reserved_change,
            used_in_month=account.used_in_month + spent,
            used_in_day=account.used_in_day + spent,
        )
    return account


async def release_open(
    tx: Transaction, job_ids: Sequence[str], *, now: datetime, monthly_grant: int, with_pending: bool = False
) -> int:
    """Release what these jobs still hold, of calls whose end nobody will see. Returns how many reservations.

    `with_pending`: also what is reserved for answers that are still to come. A call that is under way is left to who
    makes it, or to the sweep (`workers.upkeep.end_calls`).
    """
    by_organization: dict[str, list[CreditSettlement]] = {}
    for reservation in await open_reservations(tx, job_ids, with_pending=with_pending):
        by_organization.setdefault(reservation.organization_id, []).append(
            CreditSettlement(reservation.id, charge=False, note=MAYBE_CHARGED)
        )
    await settle_all(tx, by_organization, now=now, monthly_grant=monthly_grant)
    return sum(map(len, by_organization.values()))
