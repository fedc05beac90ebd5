"""The statements that a piece of work runs, and how many rows each brings."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from models.db import connection


@dataclass
class Statements:
    """What was run, in order, and the number of rows of each. `after` runs behind each of them, uncounted."""

    texts: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    after: Callable[[], Awaitable[None]] | None = None


@contextmanager
def counted_statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[Statements]:
    """Counts the statements of the process's connection outside of transactions."""
    client = type(connection.connection())
    found = Statements()
    busy = False

    def counting(run: Callable[..., Awaitable[Any]], *, with_number: bool) -> Callable[..., Awaitable[Any]]:
        async def counted(self: Any, sql: str, values: Any = None) -> Any:
            nonlocal busy
            result = await run(self, sql, values)
            if not busy:
                found.texts.append(sql)
                found.rows.append(len(result[1] if with_number else result))
                if found.after is not None:
                    busy = True
                    await found.after()
                    busy = False
            return result

        return counted

    with monkeypatch.context() as patch:
        patch.setattr(client, "execute_query", counting(client.execute_query, with_number=True))
        patch.setattr(client, "execute_query_dict", counting(client.execute_query_dict, with_number=False))
        yield found
