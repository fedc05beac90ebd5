"""Lists are counted up to a bound, whichever list it is."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from enrichment.enums import SuppressionKind
from models.audit_list import AuditFilter, count_lines
from models.db import paging
from models.db.columns import new_id
from models.db.paging import Keyset
from models.db.statements import execute
from models.erasure.certificate import erasure_page
from models.suppression import suppression_page
from models.undo import line_page, undo_page

pytestmark = pytest.mark.usefixtures("db")

FIRST = Keyset(50)
UNDO = new_id()


async def _rows(count: int) -> None:
    """So many lines of each list, and as many of another organization."""
    for organization in ("acme", "other"):
        undo = UNDO if organization == "acme" else new_id()
        await execute(
            "INSERT INTO organization (id, created_at, config, config_updated_at) VALUES (?, 1, '{}', 1)",
            [organization],
        )
        for number in range(1, count + 1):
            record = new_id()
            await execute(
                "INSERT INTO record (id, organization_id, entity_type, external_id, fields, received, created_at,"
                " updated_at) VALUES (?, ?, 'lead', ?, '{}', '{}', 1, 1)",
                [record, organization, str(number)],
            )
            await execute(
                "INSERT INTO undo (id, organization_id, kind, status, scope, created_at) VALUES (?, ?, 'job', 'done',"
                " '{}', 1)",
                [undo if number == 1 else new_id(), organization],
            )
            await execute(
                "INSERT INTO undo_line (id, organization_id, undo_id, record_id, field, outcome) VALUES (?, ?, ?, ?,"
                " 'city', 'restored')",
                [new_id(), organization, undo, record],
            )
            await execute(
                "INSERT INTO suppression (id, organization_id, kind, hash, added_at) VALUES (?, ?, 'email', ?, 1)",
                [new_id(), organization, str(number)],
            )
            await execute(
                "INSERT INTO erasure (id, organization_id, entity_type, erased_at, removed, not_reached) VALUES (?, ?,"
                " 'lead', 1, '[]', '[]')",
                [new_id(), organization],
            )
            await execute(
                "INSERT INTO audit_entry (organization_id, number, at, action, subject, details, previous, hash) VALUES"
                " (?, ?, 1, 'job.retried', 'job', '{}', '', '')",
                [organization, number],
            )


async def _counts() -> dict[str, int]:
    pages: dict[str, Callable[[], Awaitable[paging.Page[Any]]]] = {
        "undos": lambda: undo_page("acme", FIRST),
        "lines": lambda: line_page("acme", UNDO, "restored", FIRST),
        "suppressions": lambda: suppression_page("acme", SuppressionKind.EMAIL, FIRST),
        "all suppressions": lambda: suppression_page("acme", None, FIRST),
        "erasures": lambda: erasure_page("acme", FIRST),
    }
    counted = {name: await (await read()).count() for name, read in pages.items()}
    return counted | {"audit": await count_lines("acme", AuditFilter(action="job"))}


async def test_a_long_list_is_counted_up_to_one_more_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    await _rows(4)
    assert set((await _counts()).values()) == {4}
    monkeypatch.setattr(paging, "MOST_COUNTED", 2)
    assert set((await _counts()).values()) == {3}


async def test_of_a_list_what_is_named_is_counted() -> None:
    await _rows(2)
    assert await (await line_page("acme", UNDO, "skipped", FIRST)).count() == 0
    assert await (await line_page("acme", new_id(), None, FIRST)).count() == 0
    assert await (await suppression_page("acme", SuppressionKind.PHONE, FIRST)).count() == 0
    assert await count_lines("acme", AuditFilter(action="job.cancelled")) == 0
