"""An undo brings no erased person back: what would is left as it is, and the undo says so."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from enrichment.undo import Restoration, SkippedField, UndoSkipReason
from models.db.transaction import Transaction
from models.record.row import records_of
from resolvers.context import Services
from resolvers.erasure.kept_out import ProposedValues, kept_out
from resolvers.undo.restore import UndoChange


async def without_erased(
    tx: Transaction | None, services: Services, organization_id: str, changes: Sequence[UndoChange]
) -> list[UndoChange]:
    """The changes, those that would bring an erased person back skipped. No `tx`: to see what an undo would do."""
    returning: dict[str, dict[str, Any]] = {}
    for change in changes:
        if isinstance(change.decision, Restoration) and change.decision.target is not None:
            target = change.versions[change.decision.target.id]
            value = target.value if target.unreadable is None else target.raw_value
            returning.setdefault(change.record_id, {})[change.field] = value
    records = await records_of(tx, organization_id, sorted(returning))
    proposed = [
        ProposedValues(organization_id, record.entity_type, record.fields, returning[record.id])
        for record in records.values()
    ]
    found = dict(zip(records, await kept_out(services, proposed, using=tx), strict=True))
    return [_skipped(change) if change.field in found.get(change.record_id, {}) else change for change in changes]


def _skipped(change: UndoChange) -> UndoChange:
    current = change.decision.removed if isinstance(change.decision, Restoration) else change.decision.current
    return replace(change, decision=SkippedField(UndoSkipReason.ERASED, current))
