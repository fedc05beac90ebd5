"""The page of some kinds of conflicts is found kind by kind, and is the same that reading all conflicts finds."""

import random
from typing import Any

import pytest

from enrichment.enums import ConflictReason, ConflictStatus, EntityType
from models.conflict.queries import ConflictFilter
from models.conflict.shown import conflict_page
from models.conflict.table import Conflict
from models.db.migrate import migrate
from models.db.paging import Keyset
from models.db.statements import execute
from tests.support.filled import ORGANIZATION, fill

FIELDS = ("city", "country", "title", "address")


def some(values: list[Any], rng: random.Random) -> tuple[Any, ...]:
    return tuple(rng.sample(values, rng.randrange(len(values))))


def expected(conflicts: list[Conflict], filter: ConflictFilter, keyset: Keyset) -> list[str]:
    """By looking at every conflict, in the order of their ids."""
    ids = [conflict.id for conflict in conflicts if matches(conflict, filter)]
    ids = [id for id in ids if keyset.after is None or id < keyset.after]
    ids = [id for id in ids if keyset.before is None or id > keyset.before]
    found = ids[: keyset.size] if keyset.backwards else ids[-keyset.size :]
    return found[::-1]


def matches(conflict: Conflict, filter: ConflictFilter) -> bool:
    return (
        conflict.status in (filter.status or (ConflictStatus.OPEN,))
        and (not filter.entity_types or conflict.entity_type in filter.entity_types)
        and (not filter.reason or conflict.reason in filter.reason)
        and (filter.field is None or filter.field == conflict.field or f" {filter.field} " in conflict.part_names)
        and (filter.provider is None or f" {filter.provider} " in conflict.providers)
    )


@pytest.mark.usefixtures("new_database")
async def test_a_page_of_some_kinds_is_that_of_all_conflicts_without_the_others() -> None:
    await migrate()
    await fill(1_500)
    rng = random.Random(7)  # noqa: S311 (not for a secret)
    for number, conflict in enumerate(await Conflict.all().order_by("id")):
        await execute(
            "UPDATE conflict SET field = ?, reason = ?, entity_type = ?, part_names = ?, providers = ? WHERE id = ?",
            [
                f"field{number}" if rng.random() < 0.2 else rng.choice(FIELDS),
                rng.choice(list(ConflictReason)).value,
                rng.choice(list(EntityType)).value,
                rng.choice(("", " city country ")) if number % 3 else "",
                rng.choice((" apollo ", " apollo hunter ")),
                conflict.id,
            ],
        )
    # Parts are those of a unit.
    await execute("UPDATE conflict SET field = 'address' WHERE part_names <> '' AND status <> 'open'")
    await execute("UPDATE conflict SET part_names = '' WHERE field NOT IN ('address', 'employment')")
    conflicts = list(await Conflict.all().order_by("id"))
    assert len(conflicts) > 50
    for _ in range(80):
        ids = sorted(rng.sample([conflict.id for conflict in conflicts], 2))
        filter = ConflictFilter(
            status=some(list(ConflictStatus), rng),
            entity_types=some(list(EntityType), rng),
            reason=some(list(ConflictReason), rng),
            field=rng.choice((None, *FIELDS)),
            provider=rng.choice((None, None, "hunter")),
        )
        keyset = Keyset(
            rng.choice((1, 7, 50)),
            after=ids[1] if rng.random() < 0.5 else None,
            before=ids[0] if rng.random() < 0.3 else None,
            backwards=rng.random() < 0.4,
        )
        page = await conflict_page(ORGANIZATION, filter, keyset)
        assert [conflict.id for conflict in page.items] == expected(conflicts, filter, keyset)
        every = [conflict for conflict in conflicts if matches(conflict, filter)]
        assert await page.count() == len(every)
