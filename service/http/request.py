"""Reads what a request says: its token and its JSON body. Refuses what cannot be understood."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request

from resolvers.context import Caller, Context, Services
from resolvers.errors import BadRequest, Fault, Forbidden, PayloadTooLarge, Unauthenticated, ValidationFailed
from service.limits.limits import Limits

MAX_DEPTH = 64
MOST_KEYS = 1_000  # of an object
MOST_ITEMS = 10_000  # of a list: as many ids as a selection may name
LONGEST_TEXT = 100_000  # characters; more than a record may have in all
_SIZED: dict[type, int] = {dict: MOST_KEYS, list: MOST_ITEMS, str: LONGEST_TEXT}
_NAMES: dict[type, str] = {
    dict: "an object of too many keys",
    list: "a list of too many items",
    str: "a text of too many characters",
}
ORGANIZATION_HEADER = "X-Organization-ID"  # the web client of SalesOS says for which organization it acts
_BLANKS = b" \t\r\n"  # what JSON takes for white space
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


class RequestAuthenticator(Protocol):
    """Turns an `Authorization` header's value into its caller. Raises Unauthenticated."""

    async def caller(self, authorization: str | None) -> Caller: ...


class RestRuntime(Protocol):
    """What the routes need of the running service. Read at each request: both exist once it has started."""

    @property
    def authenticator(self) -> RequestAuthenticator: ...

    @property
    def services(self) -> Services: ...

    @property
    def limits(self) -> Limits: ...


async def context_of(runtime: RestRuntime, request: Request) -> Context:
    """The caller's context, whose request is counted.

    Raises Unauthenticated without exactly one good bearer token, Forbidden where ORGANIZATION_HEADER names another
    organization than the token, RateLimited over a limit.
    """
    try:
        caller = await _caller_of(runtime, request)
    except (Unauthenticated, Forbidden):
        await runtime.limits.admit_open(request)
        raise
    await runtime.limits.admit(request, caller)
    return Context(services=runtime.services, caller=caller, origin=origin_of("rest", request))


async def _caller_of(runtime: RestRuntime, request: Request) -> Caller:
    sent = request.headers.getlist("authorization")
    if len(sent) > 1:
        raise Unauthenticated("more than one Authorization header")
    caller = await runtime.authenticator.caller(sent[0] if sent else None)
    check_organization(caller, request.headers.getlist(ORGANIZATION_HEADER))
    return caller


def check_organization(caller: Caller, named: Iterable[str]) -> None:
    """Raises Forbidden where a client says that it acts for another organization than its token's."""
    if any(name.strip() and name.strip() != caller.organization_id for name in named):
        raise Forbidden(f"{ORGANIZATION_HEADER} names another organization than the token")


def origin_of(interface: str, connection: HTTPConnection) -> str:
    """Where a request comes from, as the audit log says it: the interface and the caller's address."""
    return f"{interface} {connection.client.host}" if connection.client else interface


async def read_object(request: Request, *, unique_keys: bool = True, most_bytes: int | None = None) -> dict[str, Any]:
    """The JSON object of the body. Raises HTTPException 415, BadRequest, PayloadTooLarge or ValidationFailed.

    `unique_keys` refuses an object that names a key twice, which costs a second parse. `most_bytes` is a limit below
    that of every request; what is over it is not read.
    """
    _check_media_type(request)
    body = await request.body() if most_bytes is None else await _read_at_most(request, most_bytes)
    if not body.strip(_BLANKS):
        raise BadRequest("a JSON body is needed")
    return _parse_object(body, unique_keys)


async def read_optional_object(request: Request) -> dict[str, Any]:
    """As `read_object`; no body, or nothing but blanks in it, is the empty object."""
    body = await request.body()
    if not body.strip(_BLANKS):
        return {}
    _check_media_type(request)
    return _parse_object(body, unique_keys=True)


async def _read_at_most(request: Request, most: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise PayloadTooLarge(f"this body may have {most} bytes at most", maxBytes=most)
    return bytes(body)


def _check_media_type(request: Request) -> None:
    sent = request.headers.get("content-type")
    if sent is None:
        return
    media_type, *options = (part.strip().lower() for part in sent.split(";"))
    charset = next((option[8:].strip('"') for option in options if option.startswith("charset=")), "utf-8")
    is_json = media_type == "application/json" or re.fullmatch(r"application/[\w.-]+\+json", media_type)
    if not is_json or charset not in _CHARSETS:
        raise HTTPException(415, "the body must be application/json in UTF-8")


def _parse_object(body: bytes, unique_keys: bool) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    check_size(value, "the body")
    if unique_keys:
        json.loads(body, object_pairs_hook=_refuse_repeated, parse_int=str, parse_float=str)
    if not isinstance(value, dict):
        raise ValidationFailed("the body must be a JSON object", faults=[Fault("", "must be an object")])
    return value


def check_size(value: Any, what: str) -> None:
    """Raises BadRequest for JSON that is larger in any direction than any input may be; `what` it is, for the error.

    It stands before everything else that looks at an input, for both interfaces: what comes after it may be slow, or
    list every fault. What an input allows is less, and is said by its own check.
    """
    # Level by level rather than recursively: the hot path is wide and flat.
    level: list[Any] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for parent in level:
            children = parent.values() if parent.__class__ is dict else parent
            below += [child for child in children if child.__class__ in _SIZED]
        level = []
        for child in below:
            kind = child.__class__
            if len(child) > _SIZED[kind]:
                raise BadRequest(f"{what} holds {_NAMES[kind]}", faults=[Fault("", f"at most {_SIZED[kind]:,}")])
            if kind is not str:
                level.append(child)
        if not level:
            return
    raise BadRequest(f"{what} is nested deeper than {MAX_DEPTH} levels")


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        named = Counter(name for name, _ in pairs)
        repeated = next(key for key in found if named[key] > 1)
        raise BadRequest("the body names a key twice", faults=[Fault(repeated, "named twice")])
    return found
