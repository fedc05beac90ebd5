"""The dates of CRMs' exports are read where they can be read in one way only."""

import pytest

from service.records.moments import DateOrder, moment_of, order_of

DAY, MONTH = DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("2026-01-15 10:00", None, "2026-01-15 10:00"),
        ("2026-01-15T10:00:00Z", DAY, "2026-01-15T10:00:00Z"),
        ("1/15/2026", MONTH, "2026-01-15T00:00:00"),
        ("11/2/2026 5:03 PM", MONTH, "2026-11-02T17:03:00"),
        ("11/2/2026, 12:03:04 a.m.", MONTH, "2026-11-02T00:03:04"),
        ("11/2/2026 17:03", DAY, "2026-02-11T17:03:00"),
        ("02-11-2026", DAY, "2026-11-02T00:00:00"),
        ("15.01.2026 09:30", None, "2026-01-15T09:30:00"),
        ("3.4.2026", MONTH, "2026-04-03T00:00:00"),  # with points the day is first
        ("5/5/2026", None, "2026-05-05T00:00:00"),
        ("05 Jan 2026", None, "2026-01-05T00:00:00"),
        ("5-Sept-2026", None, "2026-09-05T00:00:00"),
        ("Nov 28, 2026 at 5:03 PM", None, "2026-11-28T17:03:00"),
        ("November 28 2026", None, "2026-11-28T00:00:00"),
        ("1/2/2026", None, None),
        ("13/13/2026", DAY, None),
        ("1/15/2026", DAY, None),
        ("1/15/26", MONTH, None),
        ("31.02.2026", None, None),
        ("1/2/2026 13:00 PM", MONTH, None),
        ("5 Foo 2026", None, None),
        ("5 Ma 2026", None, None),
        ("yesterday", None, None),
        ("1/2/2026" + " " * 40 + "x", MONTH, None),
    ],
)
def test_a_moment_is_read_where_there_is_one_way(text: str, order: DateOrder | None, moment: str | None) -> None:
    assert moment_of(text, order) == moment


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["1/2/2026", "1/15/2026", ""], MONTH),
        (["1/2/2026", "15-1-2026 10:00"], DAY),
        (["1/2/2026", "3/4/2026"], None),
        (["15/1/2026", "1/15/2026"], None),  # some person typed them
        (["15.1.2026", "1/15/2026"], MONTH),
        ([], None),
    ],
)
def test_a_column_tells_by_one_date_how_it_writes_all(texts: list[str], order: DateOrder | None) -> None:
    assert order_of(texts) is order
