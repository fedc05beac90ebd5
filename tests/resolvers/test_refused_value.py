"""Which errors are a value of the caller's that nobody can store, by where they come from."""

from datetime import UTC, datetime, timedelta

import pytest

from models.db import connection, statements
from resolvers.out_of_reach import is_out_of_reach
from resolvers.refused_value import is_refused_value


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("value", [2**80, "\ud800"])
async def test_what_the_database_refuses(value: object) -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011 # each driver has its own
        await statements.query("SELECT CAST(? AS TEXT) AS text", [value])
    # SQLite's driver refuses a number, PostgreSQL's wants a text: both say so before anything is asked.
    assert is_refused_value(refused.value)
    assert not is_out_of_reach(refused.value)


@pytest.mark.usefixtures("db")
async def test_a_wrong_statement_is_a_defect() -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011 # each driver has its own
        await statements.query("SELECT nothing FROM nowhere")
    assert not is_refused_value(refused.value), connection.dialect()


def test_what_python_refuses() -> None:
    with pytest.raises(OverflowError) as moment:
        datetime.max.replace(tzinfo=UTC) + timedelta(days=1)
    with pytest.raises(ValueError, match="integer string") as digits:
        int("9" * 5_000)
    assert is_refused_value(moment.value)
    assert is_refused_value(digits.value)
    assert not is_refused_value(ValueError("another"))
