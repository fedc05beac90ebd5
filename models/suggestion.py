"""Suggested rules that people do not want to see again."""

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant
from models.db.rows import fetch, insert, projection, select
from models.db.transaction import Transaction


class SuggestionDismissal(Model):
    """A pattern of rules (`enrichment.learn.suggestions.pattern_of`) that the organization dismissed.

    The table's key is the organization and the pattern.
    """

    organization_id = fields.CharField(max_length=128, primary_key=True)  # Tortoise knows keys of one column only
    pattern = fields.CharField(max_length=255)
    dismissed_at: datetime = Instant()
    dismissed_by = fields.CharField(max_length=255, null=True)

    class Meta:
        table = "suggestion_dismissal"


@projection(SuggestionDismissal)
class DismissalRow:
    """See SuggestionDismissal."""

    organization_id: str
    pattern: str
    dismissed_at: datetime
    dismissed_by: str | None


async def dismissed_patterns(organization_id: str) -> set[str]:
    """The patterns that the organization dismissed."""
    sql = f"SELECT {select(DismissalRow)} FROM suggestion_dismissal WHERE organization_id = ?"
    return {row.pattern for row in await fetch(DismissalRow, sql, [organization_id])}


async def insert_dismissal(tx: Transaction, dismissal: DismissalRow) -> bool:
    """Remember a dismissal. Whether the pattern had not been dismissed before."""
    return bool(await insert(tx, [dismissal], then="ON CONFLICT DO NOTHING RETURNING pattern"))
