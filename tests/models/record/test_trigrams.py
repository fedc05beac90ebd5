"""A search by an index of parts of texts finds what looking through all records finds."""

import random

import pytest

from models.db.columns import new_id
from models.db.connection import dialect
from models.db.migration_file import has_trigrams
from models.db.paging import Keyset
from models.db.statements import execute, query
from models.record import trigrams
from models.record.page import RecordFilter, record_page
from tests.support.plans import statements_read

pytestmark = pytest.mark.usefixtures("db")

LETTERS = "abc äöß'\"%_\\*() \U0001f600-é"


@pytest.fixture
async def texts(db: str) -> dict[str, str]:
    """The search texts of two hundred records by their ids. Some were changed; deleted ones are left out."""
    chance = random.Random(11)  # noqa: S311 (not for a secret)

    def text() -> str:
        return "".join(chance.choices(LETTERS, k=chance.randrange(1, 30))).strip()

    for organization in ("acme", "other"):
        await execute(
            "INSERT INTO organization (id, created_at, config, config_updated_at) VALUES (?, 1, '{}', 1)",
            [organization],
        )
    found: dict[str, str] = {}
    for number in range(220):
        record_id = new_id()
        organization = "other" if number % 11 == 0 else "acme"
        stored = text()
        await execute(
            "INSERT INTO record (id, organization_id, entity_type, external_id, fields, received, search_text,"
            " created_at, updated_at) VALUES (?, ?, 'lead', ?, '{}', '{}', ?, 1, 1)",
            [record_id, organization, str(number), stored],
        )
        if number % 5 == 0:
            stored = text()
            await execute("UPDATE record SET search_text = ? WHERE id = ?", [stored, record_id])
        if number % 7 == 0:
            await execute("DELETE FROM record WHERE id = ?", [record_id])
        elif organization == "acme":
            found[record_id] = stored
    return found


async def searched(text: str) -> set[str]:
    return {record.id for record in (await record_page("acme", RecordFilter(search=text), Keyset(500))).items}


async def test_every_part_of_every_length_is_found_where_it_is(texts: dict[str, str]) -> None:
    chance = random.Random(12)  # noqa: S311 (not for a secret)
    asked = ["", "a", "%", "_", '"', "\\", "no such text", "a" * 40, "abc", "äöß", "\U0001f600", "''", '"a"', "*()"]
    for text in chance.choices([text for text in texts.values() if text], k=150):
        begin = chance.randrange(len(text))
        asked.append(text[begin : begin + chance.randrange(1, 12)])
    for part in asked:
        wanted = part.strip().lower()
        assert await searched(part) == {id_ for id_, text in texts.items() if wanted in text}, part


async def test_of_many_that_may_hold_it_the_newest_are_looked_through(
    texts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = max(texts.values(), key=len)[:4].strip()
    by_index = await searched(text)
    monkeypatch.setattr(trigrams, "MOST_FOUND", 0)
    assert await searched(text) == by_index != set()


@pytest.mark.usefixtures("texts")
async def test_the_index_is_asked_for_three_characters_and_more() -> None:
    for text, is_by_index in (("abc", True), ("ab", False)):
        with statements_read() as statements:
            await searched(text)
        asked = any("record_search MATCH" in sql for sql in statements)
        assert asked is (is_by_index and dialect() == "sqlite" and has_trigrams())


@pytest.mark.usefixtures("texts")
async def test_nothing_is_left_of_a_record_in_the_index() -> None:
    await execute("DELETE FROM record")
    if dialect() == "sqlite" and has_trigrams():
        assert await query("SELECT * FROM record_number") == []
        assert await query("SELECT rowid FROM record_search WHERE record_search MATCH '\"abc\"'") == []
