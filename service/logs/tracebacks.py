"""How an exception is logged: its frames in full, its text only where that cannot repeat a value.

The text of an exception may repeat whatever was at hand: a key that was not there, a row that broke a rule, a number
that could not be read. Those texts stay out of the logs; type, file and line of every frame are enough.
"""

import sqlite3
import traceback
from types import TracebackType
from typing import TypeAlias

import asyncpg
import redis.exceptions

ExcInfo: TypeAlias = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]

_OUTSPOKEN = (
    OSError,
    AttributeError,
    ImportError,
    NameError,
    NotImplementedError,
    TypeError,
    MemoryError,
    sqlite3.Error,  # names columns and constraints, never what is in them
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
)
_OUTAGES = (
    ConnectionError,
    TimeoutError,
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ReadOnlyError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,  # a full disk among them
    asyncpg.OperatorInterventionError,
    asyncpg.InternalClientError,
)
_BECAUSE = "\nThe above exception was the direct cause of the following exception:\n"
_MEANWHILE = "\nDuring handling of the above exception, another exception occurred:\n"
_DEEPEST = 10


def format_exception(exc_info: ExcInfo) -> str:
    """The exception with all that led to it, oldest first; in one line where a store is out of reach.

    An outage is logged by everybody who meets it, and where they met it says nothing of why.
    """
    error = exc_info[1]
    if error is not None and _is_outage(error):
        return f"{_name(error)}{_said(error)}{_place(error)}"
    return "" if error is None else "\n".join(_lines(error, _DEEPEST))


def _is_outage(error: BaseException) -> bool:
    if isinstance(error, asyncpg.InterfaceError):
        return "closed" in str(error)
    return isinstance(error, _OUTAGES) or (type(error) is OSError and error.errno is None)  # of several addresses


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    return f" ({ours[-1].filename}:{ours[-1].lineno} in {ours[-1].name})" if ours else ""


def _lines(error: BaseException, depth: int) -> list[str]:
    lines: list[str] = []
    if depth and error.__cause__ is not None:
        lines += [*_lines(error.__cause__, depth - 1), _BECAUSE]
    elif depth and error.__context__ is not None and not error.__suppress_context__:
        lines += [*_lines(error.__context__, depth - 1), _MEANWHILE]
    if error.__traceback__ is not None:
        lines.append("Traceback (most recent call last):")
        lines += [frame.rstrip("\n") for frame in traceback.format_tb(error.__traceback__)]
    lines.append(f"{_name(error)}{_said(error)}")
    if depth and isinstance(error, BaseExceptionGroup):
        for number, part in enumerate(error.exceptions, 1):
            lines += [f"--- {number} of {len(error.exceptions)} ---", *_lines(part, depth - 1)]
    return lines


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _said(error: BaseException) -> str:
    if isinstance(error, _OUTSPOKEN):
        return f": {error}" if str(error) else ""
    if isinstance(error, asyncpg.PostgresError):
        details = {name: getattr(error, name, None) for name in ("sqlstate", "table_name", "constraint_name")}
        return ": " + ", ".join(f"{name} {value}" for name, value in details.items() if value)
    return " (its text is left out: it may repeat a value)" if str(error) else ""
