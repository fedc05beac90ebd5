"""A logged exception shows where it came from, and repeats no value."""

import sys
from typing import Any

import asyncpg
import pytest
import redis.exceptions
from tortoise.exceptions import DBConnectionError

from service.logs.tracebacks import format_exception


def formatted(raising: Any) -> str:
    try:
        raising()
    except Exception:
        return format_exception(sys.exc_info())
    raise AssertionError("nothing was raised")


def test_the_text_of_an_exception_is_left_out_and_its_place_kept() -> None:
    def fail() -> None:
        {"a": 1}["joe@acme.com".upper()]

    text = formatted(fail)
    assert "test_tracebacks.py" in text and "in fail" in text
    assert text.endswith("KeyError (its text is left out: it may repeat a value)")
    assert "JOE" not in text


def test_each_part_of_a_group_is_told() -> None:
    group = ExceptionGroup("joe", [KeyError("joe"), OSError("disk full")])
    text = format_exception((type(group), group, None))
    assert "joe" not in text
    assert text.index("1 of 2") < text.index("KeyError") < text.index("2 of 2") < text.index("OSError: disk full")


def test_a_cause_stands_before_what_it_led_to() -> None:
    def fail() -> None:
        try:
            raise OSError(111, "Connection refused")
        except OSError as error:
            raise ValueError("joe") from error

    text = formatted(fail)
    assert text.index("Connection refused") < text.index("direct cause") < text.index("ValueError")


@pytest.mark.parametrize("kind", [asyncpg.UniqueViolationError, asyncpg.InvalidTextRepresentationError])
def test_of_a_database_error_only_what_it_is_about_is_told(kind: Any) -> None:
    error = kind('invalid input syntax: "joe@acme.com"')
    error.table_name, error.constraint_name, error.detail = "record", "record_key", "Key (x)=(joe@acme.com)"
    text = format_exception((type(error), error, None))
    assert "constraint_name record_key" in text and "joe" not in text


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "Connection refused"),
        OSError("Multiple exceptions: [Errno 111] Connect call failed"),
        DBConnectionError("no connection"),
        asyncpg.InterfaceError("the underlying connection is closed"),
        asyncpg.ConnectionDoesNotExistError("connection was closed"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.DiskFullError("could not extend file"),
        redis.exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'"),
    ],
    ids=repr,
)
def test_an_outage_is_one_line_that_says_what_and_where(error: Exception) -> None:
    def fail() -> None:
        raise error

    text = formatted(fail)
    assert "\n" not in text
    assert type(error).__qualname__ in text and "in fail" in text


def test_a_file_that_is_not_there_is_no_outage() -> None:
    text = formatted(lambda: open("/nowhere/at/all"))  # noqa: SIM115, PTH123 -- it is never opened
    assert "Traceback" in text
