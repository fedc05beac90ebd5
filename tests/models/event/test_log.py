"""The log of an organization: readers get every row once, whatever order its transactions end in."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from models.db.transaction import Transaction, unit_of_work
from models.event.cursor import OLDEST, EventCursor
from models.event.kinds import EventKind
from models.event.read import EventRows, end_of, ends_of, rows_after
from models.event.remove import delete_impossible, prune_events, replace_events_of
from models.event.write import NewEvent, add_events
from tests.support.log import settled

pytestmark = pytest.mark.usefixtures("db")

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def numbered(n: int, org: str = "acme", at: datetime = NOW, record_id: str | None = None) -> NewEvent:
    return NewEvent(org, at, EventKind.CONFIG_CHANGED, record_id=record_id, data={"version": n})


@unit_of_work
async def add_at_once(tx: Transaction, *numbers: int, org: str = "acme", at: datetime = NOW) -> None:
    await add_events(tx, [numbered(n, org, at) for n in numbers])


async def add(*numbers: int, org: str = "acme", at: datetime = NOW) -> None:
    """Add rows, and wait until they can be read."""
    await add_at_once(*numbers, org=org, at=at)
    await settled(org)


def versions(rows: EventRows) -> list[int]:
    return [row.data["version"] for row in rows.rows]


def after(rows: EventRows) -> EventCursor:
    last = rows.rows[-1]
    return EventCursor(last.position, last.number + 1, -1)


async def test_rows_come_in_order_and_each_organization_has_its_own() -> None:
    await add(1, 2)
    await add(7, org="next door")
    await add(3)
    first = await rows_after("acme", OLDEST, 2)
    assert (versions(first), first.more, first.held) == ([1, 2], True, False)
    rest = await rows_after("acme", after(first), 2)
    assert (versions(rest), rest.more, rest.held) == ([3], False, False)
    assert versions(await rows_after("next door", OLDEST, 9)) == [7]


@pytest.mark.postgresql
async def test_what_commits_late_is_not_skipped(db: str) -> None:
    """Two transactions that end in the other order: the later one waits for the earlier, which then comes first."""
    early = await asyncpg.connect(db)
    try:
        began = early.transaction()
        await began.start()
        sql = "INSERT INTO event (organization_id, number, at, kind, data) VALUES ('acme', 0, 0, 'config.changed', $1)"
        await early.execute(sql, '{"version": 1}')
        await add_at_once(2)  # it began later, and has ended
        held = await rows_after("acme", OLDEST, 9)
        assert (versions(held), held.more, held.held) == ([], False, True)
        await began.commit()
        await settled()
        both = await rows_after("acme", OLDEST, 9)
        assert (versions(both), both.held) == ([1, 2], False)
    finally:
        await early.close()


@pytest.mark.postgresql
async def test_who_begins_to_listen_misses_nothing_that_commits_later_and_hears_nothing_old(db: str) -> None:
    early = await asyncpg.connect(db)
    try:
        await add(1)
        began = early.transaction()
        await began.start()
        sql = "INSERT INTO event (organization_id, number, at, kind, data) VALUES ('acme', 0, 0, 'config.changed', $1)"
        await early.execute(sql, '{"version": 3}')
        await add_at_once(2)
        end = await end_of("acme")
        await began.commit()
        await settled()
        rows = await rows_after("acme", end.cursor, 9)
        assert [row.data["version"] for row in rows.rows if (row.position, row.number) not in end.seen] == [3]
    finally:
        await early.close()


async def test_the_end_of_a_log_is_before_what_comes_next() -> None:
    assert versions(await rows_after("acme", (await end_of("acme")).cursor, 9)) == []
    await add(1)
    end = await end_of("acme")
    await add(2)
    rows = await rows_after("acme", EventCursor.read(str(end.cursor)) or OLDEST, 9)
    assert [row.data["version"] for row in rows.rows if (row.position, row.number) not in end.seen][-1] == 2


async def test_old_rows_go_and_a_cursor_from_before_them_is_known() -> None:
    await add(1, 2, at=NOW - timedelta(days=20))
    early = await rows_after("acme", OLDEST, 1)
    await add(3)
    kept = EventCursor(early.rows[0].position, early.rows[0].number, 0)
    assert (await ends_of("acme")).has(kept)

    assert await prune_events("acme", NOW - timedelta(days=14), 100) == 2
    assert await prune_events("acme", NOW - timedelta(days=14), 100) == 0

    ends = await ends_of("acme")
    assert not ends.has(kept)
    assert ends.has(OLDEST)
    rows = await rows_after("acme", OLDEST, 9)
    assert versions(rows) == [3]
    assert ends.has(EventCursor(rows.rows[0].position, rows.rows[0].number, 0))


async def test_what_comes_after_all_was_pruned_or_erased_is_behind_every_cursor() -> None:
    await add(1, 2, 3, at=NOW - timedelta(days=20))
    last = (await rows_after("acme", OLDEST, 9)).rows[-1]
    await prune_events("acme", NOW, 100)
    await add(4)
    assert versions(await rows_after("acme", EventCursor(last.position, last.number, 0), 9)) == [4]


@unit_of_work
async def erase(tx: Transaction, record_id: str) -> None:
    await add_events(tx, [numbered(1, record_id=record_id), numbered(2, record_id="another")])
    await add_events(tx, [numbered(3, record_id=record_id)])
    data = {"certificate": "c"}
    await replace_events_of(tx, NewEvent("acme", NOW, EventKind.RECORD_ERASED, record_id=record_id, data=data))


async def test_an_erasure_takes_the_place_of_all_that_was_said_of_the_record() -> None:
    await erase("one")
    await settled()
    found = await rows_after("acme", OLDEST, 9)
    assert [(row.record_id, row.kind) for row in found.rows] == [
        ("another", EventKind.CONFIG_CHANGED),
        ("one", EventKind.RECORD_ERASED),
    ]
    await add(4)
    last = found.rows[-1]
    assert versions(await rows_after("acme", EventCursor(last.position, last.number + 1, -1), 9)) == [4]


@pytest.mark.postgresql
async def test_rows_of_another_database_s_transactions_go_and_its_cursors_are_refused(db: str) -> None:
    other = await asyncpg.connect(db)
    try:
        await other.execute(
            "INSERT INTO event (organization_id, position, number, at, kind, data)"
            " VALUES ('acme', 4000000000000, 0, 0, 'config.changed', '{}')"
        )
    finally:
        await other.close()
    assert not (await ends_of("acme")).has(EventCursor(4000000000000, 0, 0))
    assert await delete_impossible("acme") == 1
    await settled()


@pytest.mark.parametrize("text", ["", "1", "1-2", "x-1-1", "1-1-", "-1-1-1", "99999999999999999999-1-1", "1-1-1 "])
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert EventCursor.read(text) is None


def test_a_cursor_is_read_as_it_was_written() -> None:
    for cursor in (OLDEST, EventCursor(5, 0, -1), EventCursor(5, 7, 3)):
        assert EventCursor.read(str(cursor)) == cursor
