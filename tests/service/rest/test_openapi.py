"""`openapi.json` says exactly what is served, and the readable pages say the same."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from graphql import GraphQLObjectType, build_schema
from starlette.routing import Route

from service.http.problem import KINDS, MEDIA_TYPE
from service.rest.description.openapi import describe
from service.rest.description.pages import page, render
from service.rest.operation import PREFIX
from service.rest.routes import OPERATIONS, rest_routes

Json = dict[str, Any]

DESCRIPTION = describe(OPERATIONS, "1.2.3")
DOCUMENTED = (
    "POST /preview",
    "POST /simulate",
    "GET /jobs/{id}/undo",
    "POST /jobs/{id}/undo",
    "GET /undos",
    "POST /undos",
    "POST /undos/preview",
    "GET /undos/{id}",
    "GET /undos/{id}/lines",
    "POST /undos/{id}/revert",
    "GET /config",
    "PATCH /config",
    "PUT /config",
    "GET /jobs",
    "GET /jobs/{id}",
    "GET /conflicts",
    "POST /conflicts/{id}/resolve",
    "PUT /conflicts/{id}/resolve",
    "POST /conflicts/{id}/reopen",
    "POST /resolutions/undo",
    "GET /stats",
    "POST /jobs/{id}/retry",
    "POST /pause",
    "POST /resume",
    "GET /credits",
    "POST /records",
    "DELETE /records/{entityType}/{externalId}",
    "GET /records",
    "GET /records/{entityType}/{externalId}",
    "GET /records/{entityType}/{externalId}/explain",
    "GET /records/{entityType}/{externalId}/explanations",
    "POST /jobs/{id}/cancel",
    "GET /conflicts/{id}",
    "POST /conflicts/resolve",
    "GET /providers",
    "GET /audit",
    "POST /estimate",
    "GET /events",
    "GET /webhook-endpoints",
    "POST /webhook-endpoints",
    "GET /webhook-endpoints/{id}",
    "PATCH /webhook-endpoints/{id}",
    "DELETE /webhook-endpoints/{id}",
    "POST /webhook-endpoints/{id}/pause",
    "POST /webhook-endpoints/{id}/resume",
    "POST /webhook-endpoints/{id}/rotate",
    "POST /webhook-endpoints/{id}/test",
    "POST /webhook-endpoints/{id}/replay",
    "GET /webhook-endpoints/{id}/deliveries",
    "GET /webhook-deliveries/{id}",
    "POST /webhook-deliveries/{id}/redeliver",
)
PAGED = {"GET /jobs", "GET /conflicts", "GET /records", "GET /audit", "GET /events"}
PAGED |= {"GET /webhook-endpoints/{id}/deliveries", "GET /undos", "GET /undos/{id}/lines"}


def described() -> dict[str, Json]:
    return {
        f"{method.upper()} {path.removeprefix(PREFIX)}": operation
        for path, methods in DESCRIPTION["paths"].items()
        for method, operation in methods.items()
    }


def faults(schema: Json, value: Any) -> list[str]:
    validator = jsonschema_rs.Draft202012Validator(
        {**schema, "components": DESCRIPTION["components"]}, validate_formats=True
    )
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(value)]


def contents(operation: Json) -> list[tuple[str, str, Json]]:
    """(status, media type, content) of every answer."""
    return [
        (status, media_type, content)
        for status, response in operation["responses"].items()
        for media_type, content in response.get("content", {}).items()
    ]


def test_the_description_is_valid_openapi_3_1() -> None:
    assert DESCRIPTION["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(DESCRIPTION).validate()


def test_exactly_the_documented_routes_are_described() -> None:
    assert sorted(described()) == sorted(DOCUMENTED)


def test_what_is_served_is_described_and_the_other_way_round() -> None:
    class NotStarted:
        """A runtime that has not been opened: routes must not need it before a request."""

        @property
        def services(self) -> Any:
            raise AssertionError("used before it was opened")

        authenticator = limits = services

    served = {
        f"{method} {route.path.removeprefix(PREFIX)}"
        for route in rest_routes(NotStarted())
        if isinstance(route, Route) and route.path.startswith(PREFIX)
        for method in route.methods or ()
    }
    gets = {name.replace("GET", "HEAD", 1) for name in described() if name.startswith("GET")}
    options = {f"OPTIONS {name.split()[1]}" for name in described()}
    assert served == set(described()) | gets | options


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    text = repr(DESCRIPTION)
    for kind in ("schemas", "headers"):
        named = set(re.findall(rf"#/components/{kind}/([\w-]+)", text))
        assert named == set(DESCRIPTION["components"][kind])


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_example_fits_its_schema(name: str) -> None:
    operation = described()[name]
    bodies = [("body", "", content) for content in operation.get("requestBody", {}).get("content", {}).values()]
    for status, _, content in contents(operation) + bodies:
        examples = [content["example"]] if "example" in content else []
        examples += [example["value"] for example in content.get("examples", {}).values()]
        assert examples, f"{name} {status} has no example"
        for example in examples:
            assert not faults(content["schema"], example), f"{name} {status}"


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_refusal_is_a_problem_under_its_status(name: str) -> None:
    for status, media_type, content in contents(described()[name]):
        if status >= "400":
            assert media_type == MEDIA_TYPE
            assert {str(KINDS[code].status) for code in content["examples"]} == {status}
        else:
            assert media_type == "application/json"


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("GET /config", "200 304 400 401 403 429 500 503"),
        ("PATCH /config", "200 400 401 403 412 413 415 422 429 500 503"),
        ("PUT /config", "200 400 401 403 412 413 415 422 429 500 503"),
        ("GET /jobs", "200 400 401 403 429 500 503"),
        ("GET /jobs/{id}", "200 400 401 403 404 429 500 503"),
        ("GET /conflicts", "200 400 401 403 422 429 500 503"),
        ("POST /conflicts/{id}/resolve", "200 400 401 403 404 409 413 415 422 429 500 503"),
        ("PUT /conflicts/{id}/resolve", "200 400 401 403 404 409 413 415 422 429 500 503"),
        ("POST /conflicts/{id}/reopen", "200 400 401 403 404 409 413 415 422 429 500 503"),
        ("POST /resolutions/undo", "200 400 401 403 404 409 413 415 422 429 500 503"),
        ("GET /stats", "200 400 401 403 429 500 503"),
        ("GET /credits", "200 400 401 403 429 500 503"),
        ("POST /jobs/{id}/retry", "202 400 401 403 404 409 422 429 500 503"),
        ("POST /pause", "200 400 401 403 409 413 415 422 429 500 503"),
        ("POST /resume", "200 400 401 403 409 422 429 500 503"),
        ("POST /records", "200 400 401 403 409 413 415 422 429 500 503"),
    ],
)
def test_every_status_of_a_route_is_described(name: str, statuses: str) -> None:
    assert sorted(described()[name]["responses"]) == statuses.split()


def test_headers_are_described_where_they_are_sent() -> None:
    for name, operation in described().items():
        headers = {status: set(response["headers"]) for status, response in operation["responses"].items()}
        assert all("X-Request-Id" in sent for sent in headers.values())
        assert "WWW-Authenticate" in headers["401"]
        assert "Retry-After" in headers["503"]
        assert ("ETag" in headers.get("200", set())) == name.endswith("/config")
        assert ("Link" in headers.get("200", set())) == (name in PAGED)


def test_a_choice_of_objects_names_the_members_of_all_of_them() -> None:
    """Generators that make one class of a choice would require them all otherwise."""
    schemas = DESCRIPTION["components"]["schemas"]
    whole = schemas["ResolutionRequest"]
    choices = [schemas[one["$ref"].rpartition("/")[2]] for one in whole["anyOf"] if "$ref" in one]
    assert whole["properties"].keys() == {name for choice in choices for name in choice["properties"]}
    assert "required" not in whole


def test_a_token_is_needed_for_everything() -> None:
    assert DESCRIPTION["security"] == [{"bearer": []}]
    scheme = DESCRIPTION["components"]["securitySchemes"]["bearer"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")


GRAPHQL_TYPES = {
    "WebhookEndpoint": "WebhookEndpoint",
    "WebhookDelivery": "WebhookDelivery",
    "WebhookSecret": "WebhookSecretPayload",
    "Job": "Job",
    "Step": "Step",
    "FieldOutcome": "FieldOutcome",
    "JobError": "JobError",
    "Conflict": "Conflict",
    "Candidate": "Candidate",
    "FieldValue": "FieldValue",
    "Resolution": "Resolution",
    "Config": "Config",
    "Pipeline": "Pipeline",
    "Credits": "CreditUsage",
    "CreditEntry": "CreditEntry",
    "CreditAlert": "CreditAlert",
    "UsageSlice": "UsageSlice",
    "Stats": "Stats",
    "FieldFillRate": "FieldFillRate",
    "ProviderStats": "ProviderStats",
    "DayStats": "DayStats",
    "RecordsAnswer": "UpsertRecordsPayload",
    "RecordResult": "UpsertRecordResult",
    "RefusedField": "RefusedField",
}


# What a cache of GraphQL's clients needs, and what follows from a list beside it (docs/api.md).
OF_GRAPHQL_ALONE = {
    "Job": {"counts"},
    "Config": {"id"},
    "Pipeline": {"id"},
    "Credits": {"id"},
    "Stats": {"id", "byDayAndProvider", "byDayAndEntityType"},
}


@pytest.mark.parametrize("name", GRAPHQL_TYPES)
def test_objects_have_the_keys_of_their_graphql_types(name: str) -> None:
    printed = Path(__file__).parents[3] / "schema" / "schema.graphql"
    kind = build_schema(printed.read_text("utf-8"), assume_valid=True).type_map[GRAPHQL_TYPES[name]]
    assert isinstance(kind, GraphQLObjectType)
    instead = {"record": {"recordId", "externalId", "entityType"}, "job": {"jobId"}}
    expected: set[str] = set()
    if name == "RecordResult":  # where REST shows a record, what of it cannot be read is part of it
        instead["record"] |= {"unreadable"}
    for field in kind.fields.keys() - OF_GRAPHQL_ALONE.get(name, set()):
        if field not in instead:
            expected.add(field)
        elif f"{field}Id" not in kind.fields:  # else its id stands beside it
            expected |= instead[field]
    assert set(DESCRIPTION["components"]["schemas"][name]["properties"]) == expected


class Reader(HTMLParser):
    """Notes what a page links to, loads and runs, and whether its tags are balanced."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.styled = False
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag not in self.VOID:
            self.open.append(tag)
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a":
            self.links.append(values["href"])
        elif "href" in values or "src" in values:
            self.loads.append(values.get("href", "") + values.get("src", ""))
        self.styled |= "style" in values or any(name.startswith("on") for name in values)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def reader() -> Reader:
    read = Reader()
    read.feed(page(render(DESCRIPTION), "https://enrich.example.com/"))
    read.close()
    assert not read.open
    return read


def test_the_pages_load_nothing_but_their_own_style_sheet(reader: Reader) -> None:
    assert reader.loads == ["data:,", "../static/docs/docs.css"]
    assert not reader.styled
    css = Path(__file__).parents[3] / "service" / "static" / "docs" / "docs.css"
    assert "url(" not in css.read_text("utf-8")
    assert "@import" not in css.read_text("utf-8")


def test_every_link_in_the_pages_leads_somewhere(reader: Reader) -> None:
    assert len(reader.ids) == len(set(reader.ids))
    inner = {link.removeprefix("#") for link in reader.links if link.startswith("#")}
    assert inner <= set(reader.ids)
    assert {link for link in reader.links if not link.startswith("#")} == {"openapi.json"}


def test_the_pages_explain_every_code_where_problems_point(reader: Reader) -> None:
    assert KINDS.keys() <= set(reader.ids)


def test_the_pages_show_a_curl_command_for_every_route(reader: Reader) -> None:
    text = "".join(reader.text)
    for method, path in (name.split() for name in DOCUMENTED):
        command = f'curl -X {method} "https://enrich.example.com{PREFIX}{path}'
        pattern = re.sub(r"\\{\w+\\}", r"[\\w-]+", re.escape(command))
        assert re.search(pattern, text), (method, path)


def test_the_address_in_the_pages_cannot_inject_markup() -> None:
    shown = page(render(DESCRIPTION), 'http://a"><script>alert(1)</script>/')
    assert "<script" not in shown
