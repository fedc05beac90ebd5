"""`/records`: the records as they are stored, where their values come from, and why they are what they are."""

from starlette.requests import Request
from starlette.responses import Response

from enrichment.enums import EntityType
from models.record.order import RecordOrder
from models.record.page import RecordFilter
from resolvers.context import Context
from resolvers.errors import BadRequest, Fault
from resolvers.paging import MAX_SIZE, PageArgs
from resolvers.record import api as records
from resolvers.record.explain import explain, explain_record
from resolvers.refresh.freshness import aging
from resolvers.validation import MAX_EXTERNAL_ID, MAX_NAME
from service.http.json import respond
from service.rest.description.json_schema import any_case_schema
from service.rest.operation import Parameter, RestOperation, RouteAnswer
from service.rest.paging import read_page, respond_with_page
from service.rest.parameters import PAGING, choice, one_of
from service.rest.query import QueryParameters
from service.rest.shapes import explanation as explanation_shape
from service.rest.shapes import stored_record as shape
from service.rest.shapes.explanation import Explanation
from service.rest.shapes.stored_record import RecordDetails, StoredRecord


async def list_records(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    kinds = query.choices("entityType", EntityType) or ()
    search = query.text("search")
    order = query.choice("orderBy", RecordOrder, RecordOrder.CREATED_AT_DESC)
    page = query.page()
    query.check()
    if len(kinds) > 1:
        message = "one entity type, or all of them"
        raise BadRequest(f"entityType: {message}", faults=[Fault("entityType", message)])
    wanted = RecordFilter(entity_type=kinds[0] if kinds else None, search=search)
    found = await read_page(records.list_records(ctx, wanted, page, order=order))
    return respond_with_page(request, found, [StoredRecord.of(record) for record in found.items])


async def get_record(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    with_history = query.flag("history")
    query.check()
    record = await records.get_record(ctx, entity_type_of(request), request.path_params["externalId"])
    current = await records.provenance(ctx, record)
    history = await records.history(ctx, record, None, PageArgs(first=MAX_SIZE)) if with_history else None
    ages = await aging(ctx)
    return respond(RecordDetails.with_values(record, current, history.items if history else None, ages))


async def explain_field(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    field = query.text("field")
    query.check()
    if field is None:
        raise BadRequest("field: required", faults=[Fault("field", "required")])
    return respond(
        Explanation.of(await explain(ctx, entity_type_of(request), request.path_params["externalId"], field))
    )


async def explain_all(ctx: Context, request: Request) -> Response:
    QueryParameters(request).check()
    explained = await explain_record(ctx, entity_type_of(request), request.path_params["externalId"])
    return respond([Explanation.of(each) for each in explained])


def entity_type_of(request: Request) -> EntityType:
    """The entity type in the path, in any case. Raises BadRequest."""
    try:
        return EntityType(request.path_params["entityType"].lower())
    except ValueError:
        message = f"must be one of {', '.join(EntityType)}"
        raise BadRequest(f"entityType: {message}", faults=[Fault("entityType", message)]) from None


THE_RECORD = (
    Parameter(
        name="entityType",
        index="path",
        required=True,
        description="What the record is.",
        schema=any_case_schema(EntityType),
        example="account",
    ),
    Parameter(
        name="externalId",
        index="path",
        required=True,
        description="The CRM's own id, percent-encoded.",
        schema={"type": "string", "minLength": 1, "maxLength": MAX_EXTERNAL_ID},
        example="ACC-1042",
    ),
)

OPERATIONS = (
    RestOperation(
        method="GET",
        path="/records",
        handler=list_records,
        id="listRecords",
        tag="Records",
        summary="List records",
        description="Newest first, or as `orderBy` says. Where there are more, `Link` leads to the next page.",
        parameters=(
            choice("entityType", EntityType, "Records of which entity type (one):"),
            Parameter(
                name="search",
                description="Part of a name, an e-mail, a domain or the external id.",
                schema={"type": "string", "maxLength": records.MAX_SEARCH},
                example="acme",
            ),
            one_of(
                "orderBy",
                RecordOrder,
                "In which order. By `last_enriched_at` those that never were count as the oldest.",
                RecordOrder.CREATED_AT_DESC,
            ),
            *PAGING,
        ),
        answer=RouteAnswer(
            description="List of records",
            shape=list[StoredRecord],
            example=[shape.LISTED_EXAMPLE],
            headers=("Link",),
        ),
        refusals=("VALIDATION_FAILED",),
    ),
    RestOperation(
        method="GET",
        path="/records/{entityType}/{externalId}",
        handler=get_record,
        id="getRecord",
        tag="Records",
        summary="Get a record",
        description="Its values and where each comes from; with `history` also what its fields held before.",
        parameters=(
            *THE_RECORD,
            Parameter(
                name="history",
                description=f"Whether to show what its fields have held, the newest {MAX_SIZE}.",
                schema={"type": "string", "enum": ["true", "false"], "default": "false"},
                example="true",
            ),
        ),
        answer=RouteAnswer(description="The record", shape=RecordDetails, example=shape.EXAMPLE),
        refusals=("NOT_FOUND", "VALIDATION_FAILED"),
    ),
    RestOperation(
        method="GET",
        path="/records/{entityType}/{externalId}/explain",
        handler=explain_field,
        id="explainField",
        tag="Records",
        summary="Explain a value",
        description="Why a field holds what it holds: value, source, since when, what else was proposed, at what cost.",
        parameters=(
            *THE_RECORD,
            Parameter(
                name="field",
                description="The field.",
                schema={"type": "string", "minLength": 1, "maxLength": MAX_NAME},
                required=True,
                example="industry",
            ),
        ),
        answer=RouteAnswer(description="The explanation", shape=Explanation, example=explanation_shape.EXAMPLE),
        refusals=("NOT_FOUND", "VALIDATION_FAILED"),
    ),
    RestOperation(
        method="GET",
        path="/records/{entityType}/{externalId}/explanations",
        handler=explain_all,
        id="explainRecord",
        tag="Records",
        summary="Explain a record",
        description="As `explain`, for all fields that the record's type has.",
        parameters=THE_RECORD,
        answer=RouteAnswer(
            description="An explanation of each field", shape=list[Explanation], example=[explanation_shape.EXAMPLE]
        ),
        refusals=("NOT_FOUND", "VALIDATION_FAILED"),
    ),
)
