"""For which organization code acts. Under row-level security its statements see that organization's rows alone.

A context variable says it, so that it holds for a request and for the tasks that it starts. Where the database's role
is not bound (one DATABASE_URL for everything, SQLite), it changes nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

SETTING = "auto_enrichment.organization"
_STATEMENT = b"auto_enrichment_acting"
_SQL = b"SELECT WHERE set_config($1, $2, true) IS NULL"  # without a row, so that only its end is reported
_TEXT = 25  # PostgreSQL's type


@dataclass(frozen=True, slots=True)
class Acting:
    """A setting that a transaction begins with: as SQL after BEGIN, and as messages before a single statement."""

    begin: str
    bind: bytes


_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


class _Role:
    """What the process's database role is held to."""

    overview: Acting | None = None  # how rows of all organizations are seen, where it is bound to one at a time
    rows_are_checked = False  # by a policy, be it one that lets all pass


def act_for(organization_id: str) -> None:
    """Act for this organization from here on, in this task and those that it starts."""
    _acting.set(_set(SETTING, organization_id))


def act_for_nobody() -> None:
    """Act for no organization from here on: what a request of another may have left behind."""
    _acting.set(None)


@contextmanager
def acting_for(organization_id: str) -> Iterator[None]:
    """Act for this organization while the block runs."""
    before = _acting.set(_set(SETTING, organization_id))
    try:
        yield
    finally:
        _acting.reset(before)


@contextmanager
def across_organizations() -> Iterator[None]:
    """See the rows of all organizations while the block runs: for the service's own work alone, never a caller's."""
    before = _acting.set(_Role.overview)
    try:
        yield
    finally:
        _acting.reset(before)


def acting() -> Acting | None:
    """What transactions of this task begin with; None: they see no organization's rows."""
    return _acting.get()


def bind_to(overview_role: str | None, *, rows_are_checked: bool = False) -> None:
    """Note that the process's database role is bound, and which role sees all; None: it is not bound."""
    _Role.overview = None if overview_role is None else _set("role", overview_role)
    _Role.rows_are_checked = rows_are_checked or overview_role is not None


def is_bound() -> bool:
    """Whether the process's role sees one organization at a time."""
    return _Role.overview is not None


def rows_are_checked() -> bool:
    """Whether a policy checks the rows of the process's role: PostgreSQL then takes no COPY into their tables."""
    return _Role.rows_are_checked


def _set(name: str, value: str) -> Acting:
    literal = "'" + value.replace("'", "''") + "'"
    given = [name.encode(), value.encode("utf-8", "replace")]
    values = b"".join(len(text).to_bytes(4, "big") + text for text in given)
    bind = _message(b"B", b"\0" + _STATEMENT + b"\0" + _count(0) + _count(len(given)) + values + _count(0))
    return Acting(f" SET LOCAL {name} = {literal};", bind + _message(b"E", b"\0" + bytes(4)))


def _message(kind: bytes, content: bytes) -> bytes:
    """A message of PostgreSQL's protocol: its kind, its length, and what it says."""
    return kind + (len(content) + 4).to_bytes(4, "big") + content


def _count(number: int) -> bytes:
    return number.to_bytes(2, "big")


PARSE = _message(b"P", _STATEMENT + b"\0" + _SQL + b"\0" + _count(2) + _TEXT.to_bytes(4, "big") * 2)
"""Prepares the statement that the messages of `Acting` execute."""
CLOSE = _message(b"C", b"S" + _STATEMENT + b"\0")
"""Forgets it."""
