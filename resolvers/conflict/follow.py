"""What becomes of open conflicts when the values that they are about change, or a job answers their questions.

A conflict about a field ends. One about a unit ends where the change is in what it disputes; else it goes on and shows
the values that are there now.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from enrichment.catalogue import parts_of
from enrichment.enums import EntityType, FieldUnit
from models.conflict.open_row import OpenConflict, open_conflicts, supersede_conflicts, update_questions
from models.conflict.queue import ConflictId, supersede
from models.db.transaction import Transaction
from models.record.value import CurrentValue, current_values
from resolvers.conflict.stored import disputed_parts, questions_of, stored_unit, stored_value

FieldOfRecord = tuple[str, str]  # record id and field
UnitOfRecord = tuple[str, FieldUnit]  # record id and unit

UNITS = tuple(unit.value for unit in FieldUnit)
PARTS = frozenset(part for kind in EntityType for unit in FieldUnit for part in parts_of(kind, unit))


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of open conflicts: those that ended, those that show other values now, and those about units."""

    ended: list[ConflictId]
    renewed: list[ConflictId]
    open_units: Mapping[UnitOfRecord, OpenConflict]

    @property
    def changed(self) -> list[ConflictId]:
        return [*self.ended, *self.renewed]


async def follow_values(tx: Transaction, changed: Sequence[FieldOfRecord], now: datetime) -> list[ConflictId]:
    """End or renew the open conflicts about these fields, which the CRM, a reviewer or an undo has changed.

    The new values are there already. Returns the conflicts that are otherwise now.
    """
    ended = await supersede(tx, changed, now)
    by_record = _by_record(changed)
    units = await open_conflicts(tx, list(by_record), UNITS, about_units=True)
    over = [conflict for conflict in units if disputed_parts(conflict) & by_record[conflict.record_id]]
    followed = await _follow(tx, units, over, now)
    return [*ended, *followed.changed]


async def show_values(tx: Transaction, record_id: str, unit: FieldUnit, now: datetime) -> list[ConflictId]:
    """Let the open conflict about a unit show what its record holds now. Returns it where that ends it."""
    return (await _follow(tx, await open_conflicts(tx, [record_id], [unit.value], about_units=True), (), now)).ended


async def follow_answers(
    tx: Transaction,
    settled: Sequence[FieldOfRecord],
    asked_again: Iterable[UnitOfRecord],
    now: datetime,
    *,
    besides: Iterable[UnitOfRecord] = (),
) -> Followed:
    """End the open conflicts that a job answered: it wrote the value, or a source gave the same.

    One about a unit ends once the job has settled all that it disputes; `asked_again` are those that the job asks anew.
    `besides` are further units whose open conflicts the caller wants.
    """
    ended = await supersede(tx, settled, now)
    by_record = _by_record(settled)
    again = set(asked_again)
    record_ids = dict.fromkeys([*by_record, *(record_id for record_id, _ in besides)])
    found = await open_conflicts(tx, list(record_ids), UNITS, about_units=True)
    units = [conflict for conflict in found if (conflict.record_id, conflict.unit) not in again]
    over = [conflict for conflict in units if _is_answered(conflict, by_record.get(conflict.record_id, set()))]
    followed = await _follow(tx, units, over, now)
    return replace(followed, ended=[*ended, *followed.ended])


def _by_record(fields: Iterable[FieldOfRecord]) -> dict[str, set[str]]:
    """The parts of units among these fields, by record."""
    found: dict[str, set[str]] = {}
    for record_id, field in fields:
        if field in PARTS:
            found.setdefault(record_id, set()).add(field)
    return found


def _is_answered(conflict: OpenConflict, settled: set[str]) -> bool:
    disputed = disputed_parts(conflict)
    return bool(disputed) and disputed <= settled


async def _follow(
    tx: Transaction, units: Sequence[OpenConflict], over: Sequence[OpenConflict], now: datetime
) -> Followed:
    """End these conflicts about units, and let the others show what their records hold now."""
    going_on = [conflict for conflict in units if conflict not in over]
    values = await current_values({conflict.record_id for conflict in going_on}, using=tx)
    shown = [_with_values(conflict, values[conflict.record_id]) for conflict in going_on]
    pointless = [conflict for conflict in shown if not disputed_parts(conflict)]
    renewed = [after for before, after in zip(going_on, shown, strict=True) if after != before]
    renewed = [conflict for conflict in renewed if conflict not in pointless]
    ended = await supersede_conflicts(tx, [conflict.id for conflict in (*over, *pointless)], now)
    await update_questions(tx, renewed, now)
    return Followed(
        ended,
        [conflict.named for conflict in renewed],
        {
            (conflict.record_id, conflict.unit): conflict
            for conflict in shown
            if conflict.unit is not None and conflict not in pointless
        },
    )


def _with_values(conflict: OpenConflict, values: Mapping[str, CurrentValue]) -> OpenConflict:
    """The conflict with what its parts hold now; a value that it shows already stays as it shows it."""
    assert conflict.unit is not None  # the caller picks conflicts about units
    parts = {}
    for question in questions_of(conflict):
        held = values.get(question.field)
        now = None if held is None else stored_value(held.to_current())
        same = now is not None and question.current is not None and now["value"] == question.value
        parts[question.field] = question.current if same else now
    return replace(conflict, current=stored_unit(conflict.unit, parts))
