"""Tokens that are good no longer, before they expire."""

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant, id_field, to_micros
from models.db.rows import insert, projection
from models.db.statements import query
from models.db.transaction import Transaction


class TokenRevocation(Model):
    """One token by its id (`jti`), or all of a user that were issued before a moment."""

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    token_id = fields.CharField(max_length=255, null=True)
    user_id = fields.CharField(max_length=255, null=True)
    issued_before: datetime | None = Instant(null=True)
    revoked_at: datetime = Instant()

    class Meta:
        table = "token_revocation"
        unique_together = (("organization_id", "token_id"), ("organization_id", "user_id"))


@projection(TokenRevocation)
class RevocationRow:
    """See TokenRevocation."""

    id: str
    organization_id: str
    token_id: str | None
    user_id: str | None
    issued_before: datetime | None
    revoked_at: datetime


async def add_revocation(tx: Transaction, row: RevocationRow) -> None:
    """Store it. Of two for one user the later moment counts; a token that is revoked stays as it was."""
    if row.user_id is None:
        await insert(tx, [row], then="ON CONFLICT DO NOTHING")
        return
    await insert(
        tx,
        [row],
        then="ON CONFLICT (organization_id, user_id) DO UPDATE SET issued_before = excluded.issued_before,"
        " revoked_at = excluded.revoked_at WHERE excluded.issued_before > token_revocation.issued_before",
    )


async def find_revocation(organization_id: str, user_id: str, token_id: str | None, issued_at: datetime | None) -> bool:
    """Whether a token is revoked. One that does not say when it was issued may be of before."""
    by_user = "user_id = ?" if issued_at is None else "user_id = ? AND issued_before > ?"
    sql = f"SELECT 1 FROM token_revocation WHERE organization_id = ? AND {by_user}"
    values = [organization_id, user_id, *([] if issued_at is None else [to_micros(issued_at)])]
    if token_id is not None:
        sql += " UNION ALL SELECT 1 FROM token_revocation WHERE organization_id = ? AND token_id = ?"
        values += [organization_id, token_id]
    return bool(await query(sql, values))
