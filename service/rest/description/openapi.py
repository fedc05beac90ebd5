"""`openapi.json`: the OpenAPI 3.1 description, made from the table of routes."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from service.http.json import as_json
from service.http.problem import KINDS, MEDIA_TYPE, Problem, problem_example
from service.rest.description.json_schema import Json, JsonSchemas
from service.rest.operation import Body, Parameter, RestOperation, RouteAnswer
from service.rest.parameters import IDEMPOTENCY_KEY

TITLE = "SalesOS Auto Enrichment"
INTRODUCTION = (
    "Fills and refreshes CRM leads, contacts and accounts: send records, watch their jobs, decide on"
    " conflicts, see what it cost. Everything belongs to the organization that the token names: an `X-Organization-ID`"
    " header that names another is refused. A query parameter that a route does not have is refused as well."
)
TAGS: Mapping[str, str] = {
    "Configuration": "What is enriched, when, by which providers, and what may be written.",
    "Records": "Records come in and start their enrichment.",
    "Jobs": "One enrichment of one record, with every step it took.",
    "Conflicts": "Values that a person must decide on.",
    "Pipeline": "Pause and resume.",
    "Usage": "Statistics and credits.",
    "Events": "What changed, to be read, waited for, or streamed.",
    "Webhooks": "What changed, posted to addresses of your own.",
    "Undo": "What enrichment replaced, put back.",
}
HEADERS: Mapping[str, Json] = {
    "ETag": {
        "description": "The version of the configuration, for `If-Match`.",
        "schema": {"type": "string"},
        "example": '"3"',
    },
    "Link": {
        "description": 'The next page, where there is more, and of events always: with rel="next" (RFC 8288).',
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "What is left of the tightest limit (`r`), and in how many seconds all of it is (`t`).",
        "schema": {"type": "string"},
        "example": '"requests-token";r=149999;t=1',
    },
    "RateLimit-Policy": {
        "description": "The limits that the request was counted in: how much (`q`) in how many seconds (`w`).",
        "schema": {"type": "string"},
        "example": '"requests-organization";q=300000;w=60, "requests-token";q=150000;w=60',
    },
    "Retry-After": {
        "description": "Seconds to wait before trying again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {
        "description": "The scheme that is needed: Bearer.",
        "schema": {"type": "string"},
    },
    "X-Request-Id": {
        "description": "The id of the request, also in the logs.",
        "schema": {"type": "string"},
    },
}
_OF_EVERY_ANSWER = ("RateLimit", "RateLimit-Policy", "X-Request-Id")
_HEADERS_OF_STATUS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}


def describe(operations: Iterable[RestOperation], version: str) -> Json:
    """The description of these operations, of this version of the service."""
    described = list(operations)
    schemas = JsonSchemas([Problem, *_shapes(described)])
    paths: dict[str, Json] = {}
    for operation in described:
        paths.setdefault(operation.full_path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": version,
            "description": INTRODUCTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The JWT that SalesOS issues.",
                }
            },
            "headers": dict(HEADERS),
            "schemas": dict(sorted(schemas.components.items())),
        },
    }


def _shapes(operations: Iterable[RestOperation]) -> Iterator[Any]:
    """What the operations take and answer."""
    for operation in operations:
        yield operation.answer.shape
        if operation.body is not None:
            yield operation.body.shape


def _operation(operation: RestOperation, schemas: JsonSchemas) -> Json:
    needed = f"Needs the role `{operation.role.value}` or a higher one."
    described: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": f"{operation.description}\n\n{needed}".lstrip(),
        "responses": {
            str(operation.answer.status): _answer(operation.answer, schemas),
            **_not_modified(operation),
            **_refusals(operation, schemas),
        },
    }
    once = (IDEMPOTENCY_KEY,) if operation.method == "POST" else ()
    if parameters := (*operation.parameters, *once):
        described["parameters"] = [_parameter(parameter) for parameter in parameters]
    if operation.body is not None:
        described["requestBody"] = _body(operation.body, schemas)
    return described


def _parameter(parameter: Parameter) -> Json:
    described: Json = {
        "name": parameter.name,
        "in": parameter.index,
        "required": parameter.required,
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }
    if parameter.example is not None:
        described["example"] = parameter.example
    return described


def _body(body: Body, schemas: JsonSchemas) -> Json:
    examples = {name: {"value": as_json(value)} for name, value in body.examples.items()}
    return {
        "required": body.required,
        "content": {"application/json": {"schema": schemas.of(body.shape), "examples": examples}},
    }


def _answer(answer: RouteAnswer, schemas: JsonSchemas) -> Json:
    return {
        "description": answer.description,
        "headers": _headers((*answer.headers, *_OF_EVERY_ANSWER)),
        "content": {"application/json": {"schema": schemas.of(answer.shape), "example": as_json(answer.example)}},
    }


def _not_modified(operation: RestOperation) -> Json:
    if all(parameter.name != "If-None-Match" for parameter in operation.parameters):
        return {}
    return {
        "304": {"description": "It is the version that is known.", "headers": _headers(("ETag", *_OF_EVERY_ANSWER))}
    }


def _headers(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _refusals(operation: RestOperation, schemas: JsonSchemas) -> Json:
    codes = sorted(operation.codes(), key=lambda code: (KINDS[code].status, code))
    by_status = groupby(codes, key=lambda code: KINDS[code].status)
    return {str(status): _refusal(operation.full_path, status, list(group), schemas) for status, group in by_status}


def _refusal(path: str, status: int, codes: list[str], schemas: JsonSchemas) -> Json:
    return {
        "description": " ".join(f"`{code}`: {KINDS[code].when}" for code in codes),
        "headers": _headers((*_HEADERS_OF_STATUS.get(status, ()), *_OF_EVERY_ANSWER)),
        "content": {
            MEDIA_TYPE: {
                "schema": schemas.of(Problem),
                "examples": {code: {"value": as_json(problem_example(code, path))} for code in codes},
            }
        },
    }
