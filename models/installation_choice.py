"""What an installation relies on from before: decided at its first start with a version that asks, and kept."""

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant
from models.db.rows import fetch_one, insert, projection, select
from models.db.statements import query
from models.db.transaction import Transaction, unit_of_work


class InstallationChoice(Model):
    """Whether the installation goes on with something that new installations have to switch on, by its name."""

    name = fields.CharField(max_length=64, primary_key=True)
    chosen = fields.BooleanField()
    chosen_at: datetime = Instant()

    class Meta:
        table = "installation_choice"


@projection(InstallationChoice)
class ChoiceRow:
    """See InstallationChoice."""

    name: str
    chosen: bool
    chosen_at: datetime


async def relies_on(name: str, switched_on: bool, now: datetime) -> bool:
    """Whether the installation relies on what is called `name`.

    Decided once, by whoever asks first: it does where it had tenants and the thing was `switched_on` then.
    """
    found = await _find(name)
    if found is None:
        await _insert(ChoiceRow(name, switched_on and await _has_tenants(), now))
        found = await _find(name)
    return found is not None and found.chosen


async def _has_tenants() -> bool:
    return bool(await query("SELECT id FROM organization LIMIT 1"))


async def _find(name: str) -> ChoiceRow | None:
    sql = f"SELECT {select(ChoiceRow)} FROM installation_choice WHERE name = ?"
    return await fetch_one(ChoiceRow, sql, [name])


@unit_of_work
async def _insert(tx: Transaction, choice: ChoiceRow) -> None:
    """Of two that come at once the first stays."""
    await insert(tx, [choice], then="ON CONFLICT DO NOTHING")
