"""The enum of codes has every code that an error can have."""

from collections.abc import Iterator
from importlib import import_module

from resolvers.errors import OperationError
from schema.base.error_codes import ErrorCode
from service.http.problem import KINDS, RESERVED

OF_HTTP = {"METHOD_NOT_ALLOWED", "NOT_ACCEPTABLE", "UNSUPPORTED_MEDIA_TYPE"}  # answered before GraphQL


def subclasses(cls: type[OperationError]) -> Iterator[type[OperationError]]:
    for each in cls.__subclasses__():
        yield each
        yield from subclasses(each)


def test_every_code_is_documented() -> None:
    import_module("service.app")  # and with it all that raises
    ours = {error.code for error in subclasses(OperationError) if not error.__module__.startswith("tests.")}
    assert ours <= {code.name for code in ErrorCode}
    assert KINDS.keys() - RESERVED - OF_HTTP <= {code.name for code in ErrorCode}
