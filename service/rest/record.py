"""`/records`: records come in, and start their enrichment."""

from starlette.requests import Request
from starlette.responses import Response

from resolvers.context import Context, Role
from resolvers.errors import Fault, ValidationFailed
from resolvers.record import api as records
from service.http.json import respond
from service.http.request import read_object
from service.rest.operation import Body, RestOperation, RouteAnswer
from service.rest.request import refuse_unknown
from service.rest.shapes import record as shape
from service.rest.shapes.record import RecordsAnswer, RecordsRequest


async def upsert_records(ctx: Context, request: Request) -> Response:
    body = await read_object(request, unique_keys=False)
    refuse_unknown(body, RecordsRequest.keys_sent())
    sent = body.get("records")
    if not isinstance(sent, list):
        message = "must be a list of records"
        raise ValidationFailed(f"records: {message}", faults=[Fault("records", message)])
    outcomes = await records.upsert_records(ctx, sent, records.ID_ALONE)
    return respond(RecordsAnswer.of(outcomes, sent))


OPERATIONS = (
    RestOperation(
        method="POST",
        path="/records",
        handler=upsert_records,
        id="upsertRecords",
        tag="Records",
        summary="Send records",
        description=(
            "Up to 1,000 leads, contacts and accounts, as the CRM has them. A new or really changed record"
            " starts a job as the configuration says; an unchanged one does not. Each record has its own"
            " outcome, in the order sent: one bad record does not refuse the others."
        ),
        role=Role.USER,
        body=Body(shape=RecordsRequest, examples={"two": shape.REQUEST_EXAMPLE}),
        answer=RouteAnswer(description="The outcome of each record", shape=RecordsAnswer, example=shape.EXAMPLE),
    ),
)
