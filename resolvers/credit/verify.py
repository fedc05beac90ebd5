"""Prove that an organization's ledger adds up, and says the same as the tables that hold something of it.

The proof goes on from its last checkpoint (`prove.py`), so that it costs what has happened since; a whole walk looks at
every line again, and at whether they are still those that were proved.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from enrichment.credits import month_bounds
from models.credit import intent, proof
from models.credit.account import AccountRow, find_account
from models.credit.checkpoint import LedgerCheckpoint, find_checkpoint
from models.credit.proof_part import Part
from models.db.transaction import Transaction, unit_of_work
from resolvers.context import Context, Role
from resolvers.credit.prove import CLOCKS_DIFFER, faults_of_lines, is_forged, is_trusted, renew_faults, walk_proved
from resolvers.turns import one_at_a_time

_GRACE = timedelta(minutes=1)  # in which the end of a call that nobody saw is written
_END = "~"  # after every id
_FIRST_DAY = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """How many lines were checked, their sums, and everything that does not add up, in plain words.

    Of each kind of fault the first 100. `whole`: whether every line was looked at; else those after the first
    `proved_entries`, which were proved at `proved_at`, and what was found wrong in them then. `whole_at`: when every
    line was last looked at, at somebody's request; None where that is not known.
    """

    entries: int
    balance: int
    reserved: int
    faults: list[str]
    whole: bool = True
    proved_entries: int = 0
    proved_at: datetime | None = None
    whole_at: datetime | None = None

    @property
    def adds_up(self) -> bool:
        return not self.faults

    @property
    def unproved(self) -> int:
        """How many lines there are since the last proof; this check has looked at them."""
        return self.entries - self.proved_entries


@one_at_a_time
async def verify_ledger(ctx: Context, *, whole: bool = False) -> LedgerCheck:
    """Compare the account and the counters that limits rest on with the sum of the lines, each settlement with what it
    settles, charges with the jobs that show them, and grants with the audit log; all `whole`, or since the last proof.
    Reservations without a call that is under way are named too.
    """
    caller = ctx.require(Role.ADMIN)
    check = await _checked(ctx, caller.organization_id, whole=whole)
    return replace(check, faults=[*check.faults, *await _without_a_call(caller.organization_id, ctx.services.now())])


async def _without_a_call(organization_id: str, now: datetime) -> list[str]:
    """Reservations whose call is over, or of which no call is known."""
    ended = await intent.calls_without_end(organization_id, now, _GRACE, proof.MOST)
    if await intent.organizations_with_strays(organization_id):
        ended += await intent.strays(organization_id, now, proof.MOST)
    return [f"reservation {reservation.id} has no call under way, and is not settled" for reservation in ended]


async def _checked(ctx: Context, organization_id: str, *, whole: bool) -> LedgerCheck:
    seals = ctx.services.audit_seals
    checkpoint = await find_checkpoint(organization_id)
    if checkpoint is None:
        return await check_ledger(organization_id)
    if is_forged(checkpoint, seals):
        check = await check_ledger(organization_id)
        return replace(check, faults=["how far the proof had got is not what was written", *check.faults])
    trusted = is_trusted(checkpoint, seals)
    if trusted and not whole:
        return await _check_since(checkpoint)
    same = await walk_proved(checkpoint)
    check = await check_ledger(organization_id)
    now = ctx.services.now()
    check = replace(check, proved_entries=checkpoint.entries, proved_at=checkpoint.proved_at, whole_at=now)
    if not same:
        changed = (
            f"the first {checkpoint.entries} lines are not those that were proved on {checkpoint.proved_at:%Y-%m-%d}"
        )
        return replace(check, faults=[changed, *check.faults])
    if trusted:
        await renew_faults(checkpoint, await _lasting_faults(organization_id), now, seals)
    return check


@unit_of_work
async def check_ledger(tx: Transaction, organization_id: str) -> LedgerCheck:
    """A whole walk, without a caller."""
    await proof.read_one_moment(tx)
    sums = await proof.ledger_sums(tx, organization_id)
    account = await find_account(organization_id, using=tx)
    faults = [
        *_wrong_sums(account, sums),
        *(await _wrong_counters(tx, account) if account is not None else []),
        *await faults_of_lines(tx, organization_id, None),
    ]
    return LedgerCheck(sums.entries, sums.balance, sums.reserved, faults)


@unit_of_work
async def _check_since(tx: Transaction, checkpoint: LedgerCheckpoint) -> LedgerCheck:
    """Look at the lines after a checkpoint, and at what they and those before add up to."""
    await proof.read_one_moment(tx)
    organization_id, through = checkpoint.organization_id, checkpoint.through_id
    since = await proof.ledger_sums(tx, organization_id, after=through)
    sums = proof.LedgerSums(
        checkpoint.entries + since.entries, checkpoint.balance + since.balance, checkpoint.reserved + since.reserved
    )
    account = await find_account(organization_id, using=tx)
    charged = Counter({int(day): credits for day, credits in checkpoint.charged_by_day.items()})
    charged.update(await proof.charged_by_day(tx, organization_id, after=through))
    part = Part(through, _END, checkpoint.proved_at - CLOCKS_DIFFER, checkpoint.audit_number)
    found = [
        *_wrong_sums(account, sums),
        *(_wrong_use(account, charged) if account is not None else []),
        *checkpoint.faults,
        *await faults_of_lines(tx, organization_id, part),
    ]
    return LedgerCheck(
        sums.entries,
        sums.balance,
        sums.reserved,
        list(dict.fromkeys(found)),
        whole=False,
        proved_entries=checkpoint.entries,
        proved_at=checkpoint.proved_at,
        whole_at=checkpoint.whole_at,
    )


@unit_of_work
async def _lasting_faults(tx: Transaction, organization_id: str) -> list[str]:
    await proof.read_one_moment(tx)
    return await faults_of_lines(tx, organization_id, None)


def _wrong_use(account: AccountRow, charged: Counter[int]) -> list[str]:
    """What the limits of the month and of the day are measured by, against the credits charged on each day."""
    faults: list[str] = []
    if account.month:
        start, end = month_bounds(datetime.fromisoformat(f"{account.month}-01").replace(tzinfo=UTC))
        in_month = sum(charged[day] for day in range(_day_of(start), _day_of(end)))
        if in_month != account.used_in_month:
            faults.append(f"the account says {account.used_in_month} used in {account.month}, its lines say {in_month}")
    if account.day:
        on_day = charged[_day_of(datetime.fromisoformat(account.day).replace(tzinfo=UTC))]
        if on_day != account.used_in_day:
            faults.append(f"the account says {account.used_in_day} used on {account.day}, its lines say {on_day}")
    return faults


def _day_of(moment: datetime) -> int:
    return (moment - _FIRST_DAY).days


def _wrong_sums(account: AccountRow | None, sums: proof.LedgerSums) -> list[str]:
    balance, reserved = (0, 0) if account is None else (account.balance, account.reserved)
    faults: list[str] = []
    if balance != sums.balance:
        faults.append(f"the account says {balance} credits, its lines add up to {sums.balance}")
    if reserved != sums.reserved:
        faults.append(f"the account says {reserved} reserved, its lines add up to {sums.reserved}")
    return faults


async def _wrong_counters(tx: Transaction, account: AccountRow) -> list[str]:
    """What the limits of the month and of the day are measured by."""
    faults: list[str] = []
    if account.month:
        bounds = month_bounds(datetime.fromisoformat(f"{account.month}-01").replace(tzinfo=UTC))
        charged = await proof.charged_between(tx, account.organization_id, *bounds)
        if charged != account.used_in_month:
            faults.append(f"the account says {account.used_in_month} used in {account.month}, its lines say {charged}")
    if account.day:
        start = datetime.fromisoformat(account.day).replace(tzinfo=UTC)
        charged = await proof.charged_between(tx, account.organization_id, start, start + timedelta(days=1))
        if charged != account.used_in_day:
            faults.append(f"the account says {account.used_in_day} used on {account.day}, its lines say {charged}")
    return faults
