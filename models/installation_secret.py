"""Secrets that the installation makes for itself."""

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant
from models.db.rows import fetch_one, insert, projection, select
from models.db.statements import execute
from models.db.transaction import Transaction, unit_of_work


class InstallationSecret(Model):
    """A secret by its name. `value` is sealed where the installation had an encryption key, plain otherwise."""

    name = fields.CharField(max_length=64, primary_key=True)
    value = fields.TextField()
    sealed = fields.BooleanField()
    made_at: datetime = Instant()

    class Meta:
        table = "installation_secret"


@projection(InstallationSecret)
class SecretRow:
    """See InstallationSecret."""

    name: str
    value: str
    sealed: bool
    made_at: datetime


async def find_secret(name: str) -> SecretRow | None:
    """The secret with this name."""
    sql = f"SELECT {select(SecretRow)} FROM installation_secret WHERE name = ?"
    return await fetch_one(SecretRow, sql, [name])


@unit_of_work
async def insert_secret(tx: Transaction, secret: SecretRow) -> None:
    """Store a secret. Of two that come at once the first stays."""
    await insert(tx, [secret], then="ON CONFLICT DO NOTHING")


async def seal_secret(secret: SecretRow, sealed: str) -> None:
    """Replace a plain value by the same value sealed. Nothing where another did so before."""
    sql = "UPDATE installation_secret SET value = ?, sealed = TRUE WHERE name = ? AND value = ?"
    await execute(sql, [sealed, secret.name, secret.value])
