"""Which rules values are read by: today's, or those of earlier versions, whose canonical forms are still stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_AS_BEFORE: ContextVar[bool] = ContextVar("read_as_before", default=False)


def reads_as_before() -> bool:
    """Whether values are read as earlier versions did, at this moment."""
    return _AS_BEFORE.get()


@contextmanager
def as_before() -> Iterator[None]:
    """Read as earlier versions did."""
    token = _AS_BEFORE.set(True)
    try:
        yield
    finally:
        _AS_BEFORE.reset(token)
