"""`/audit`: who changed what, when and from where."""

from starlette.requests import Request
from starlette.responses import Response

from models.audit_list import AuditFilter
from resolvers import audit
from resolvers.context import Context
from resolvers.validation import MAX_NAME
from service.rest.operation import Parameter, RestOperation, RouteAnswer
from service.rest.paging import read_page, respond_with_page
from service.rest.parameters import PAGING, period
from service.rest.query import QueryParameters
from service.rest.shapes import audit as shape
from service.rest.shapes.audit import AuditEntry

_TEXT = {"type": "string", "maxLength": MAX_NAME}


async def list_audit(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    wanted = AuditFilter(
        query.text("action"), query.text("actor"), query.text("subject"), query.moment("from"), query.moment("to")
    )
    page = query.page()
    query.check()
    found = await read_page(audit.list_audit(ctx, wanted, page))
    return respond_with_page(request, found, [AuditEntry.copied(entry) for entry in found.items])


OPERATIONS = (
    RestOperation(
        method="GET",
        path="/audit",
        handler=list_audit,
        id="listAudit",
        tag="Usage",
        summary="List the audit log",
        description="Every change of configuration, credits, keys, reviews, undos and erasures, newest first.",
        parameters=(
            Parameter(
                name="action",
                description="Whole, or its first part: `config`.",
                schema=_TEXT,
                example="config",
            ),
            Parameter(name="actor", description="Who did it.", schema=_TEXT, example="ann"),
            Parameter(name="subject", description="The id of what it was done to.", schema=_TEXT),
            *period("all time"),
            *PAGING,
        ),
        answer=RouteAnswer(
            description="Lines of the audit log", shape=list[AuditEntry], example=[shape.EXAMPLE], headers=("Link",)
        ),
        refusals=("VALIDATION_FAILED",),
    ),
)
