"""Reads the operation of a request: from the JSON body of a POST, or from the parameters of a GET."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request

from resolvers.errors import BadRequest, ValidationFailed
from service.graphql.documents import Documents
from service.http.request import check_size, read_object

PARAMETERS = ("query", "variables", "operationName", "extensions", "documentId")


@dataclass(frozen=True, slots=True)
class Operation:
    """A document, the name of what is to be run of it, and its variables.

    `id`: what a client calls it among others in one stream.
    """

    document: str
    variables: dict[str, Any] | None
    name: str | None
    id: str | None = None


async def read_posted(request: Request, documents: Documents) -> Operation:
    """The operation of a JSON body. Raises HTTPException 415, PayloadTooLarge, BadRequest, and as `Documents.find`."""
    # Only JSON is taken, which no form of another site can send.
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, "the body must be application/json in UTF-8")
    try:
        body = await read_object(request, unique_keys=False)
    except ValidationFailed as error:
        raise BadRequest("the body must be one operation: an object with a query") from error
    return _operation_of(body, documents)


def names_operation(request: Request) -> bool:
    """Whether a GET asks for an operation, rather than for the page for browsers."""
    return any(name in request.query_params for name in ("query", "extensions", "documentId"))


def read_from_address(request: Request, documents: Documents) -> Operation:
    """The operation of the parameters of an address. Raises BadRequest, and as `Documents.find`."""
    members: dict[str, Any] = {}
    for name in PARAMETERS:
        sent = request.query_params.getlist(name)
        if len(sent) > 1:
            raise BadRequest(f"{name} is named twice")
        if sent:
            members[name] = _parsed(name, sent[0]) if name in {"variables", "extensions"} else sent[0]
    return _operation_of(members, documents)


def _parsed(name: str, text: str) -> Any:
    if not text:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"{name} is not JSON: {error}") from error
    check_size(value, name)
    return value


def _operation_of(body: Mapping[str, Any], documents: Documents) -> Operation:
    extensions = _member(body, "extensions", dict) or {}
    query = _member(body, "query", str)
    if query == "":
        raise BadRequest("query must be a text")
    document_id = _member(body, "documentId", str)
    variables, name = _member(body, "variables", dict), _member(body, "operationName", str)
    document = documents.find(query, document_id, extensions.get("persistedQuery"))
    return Operation(document, variables, name or None, _member(extensions, "operationId", str))


def _member(body: Mapping[str, Any], name: str, kind: type) -> Any:
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        raise BadRequest(f"{name} must be {'an object' if kind is dict else 'a text'}")
    return value
