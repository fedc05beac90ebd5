"""`/records/{entityType}/{externalId}`: a record is erased, and a certificate says what went."""

from starlette.requests import Request
from starlette.responses import Response

from resolvers.context import Context, Role
from resolvers.erasure import api as erasure
from resolvers.erasure.reason import MAX_REASON
from service.http.json import respond
from service.rest.operation import Parameter, RestOperation, RouteAnswer
from service.rest.query import QueryParameters
from service.rest.shapes import erasure as shape
from service.rest.shapes.erasure import ErasureCertificate
from service.rest.stored_record import THE_RECORD, entity_type_of


async def erase_record(ctx: Context, request: Request) -> Response:
    ctx.require(Role.ADMIN)
    entity_type = entity_type_of(request)
    query = QueryParameters(request)
    reason = query.text("reason")
    block_domain = query.flag("blockDomain")
    query.check()
    external_id = request.path_params["externalId"]
    result = await erasure.erase_record(ctx, entity_type, external_id, reason=reason, block_domain=block_domain)
    return respond(ErasureCertificate.of(result))


OPERATIONS = (
    RestOperation(
        method="DELETE",
        path="/records/{entityType}/{externalId}",
        handler=erase_record,
        id="eraseRecord",
        tag="Records",
        summary="Erase a record",
        description=(
            "Removes the record with its values, history, jobs, conflicts and kept answers. The certificate says what"
            " was removed and where, and what is out of reach. The same person is refused with `ERASED` when it is"
            " sent again; an account by its domain too, with `blockDomain`."
        ),
        role=Role.ADMIN,
        parameters=(
            *THE_RECORD,
            Parameter(
                name="reason",
                description="Kept in the certificate; it must not tell who it was.",
                schema={"type": "string", "maxLength": MAX_REASON},
                example="Art. 17 GDPR",
            ),
            Parameter(
                name="blockDomain",
                description="Of an account: refuse others at the same domain, too.",
                schema={"type": "boolean", "default": False},
            ),
        ),
        answer=RouteAnswer(description="The certificate", shape=ErasureCertificate, example=shape.EXAMPLE),
        refusals=("NOT_FOUND", "VALIDATION_FAILED", "STATE_CONFLICT"),
    ),
)
