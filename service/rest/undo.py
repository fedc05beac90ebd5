"""`/undos`: what enrichment replaced put back, of a job, of a provider, a field, a time or records; and that undone."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from resolvers.context import Context, Role
from resolvers.undo import api as undos
from resolvers.undo.scope import UndoScope
from service.http.json import respond
from service.http.request import read_object, read_optional_object
from service.rest.operation import Body, Parameter, RestOperation, RouteAnswer
from service.rest.paging import read_page, respond_with_page
from service.rest.parameters import JOB_ID, PAGING
from service.rest.query import QueryParameters
from service.rest.request import flag, moment_or_none, refuse_unknown, text_or_none
from service.rest.selection import in_body, read_selection
from service.rest.shapes import undo as shape
from service.rest.shapes.resolution import NOTHING_TO_SAY
from service.rest.shapes.undo import Undo, UndoJobRequest, UndoLine, UndoPreview


async def preview_job(ctx: Context, request: Request) -> Response:
    return respond(UndoPreview.of(await undos.preview_undo_job(ctx, request.path_params["id"])))


async def undo_job(ctx: Context, request: Request) -> Response:
    body = await read_optional_object(request)
    refuse_unknown(body, UndoJobRequest.keys_sent())
    again = flag(body, "allowAgain")
    return respond(Undo.of(await undos.undo_job(ctx, request.path_params["id"], allow_again=again)))


async def preview(ctx: Context, request: Request) -> Response:
    with in_body("selection"):
        return respond(UndoPreview.of(await undos.preview_undo_enrichment(ctx, _scope(await read_object(request)))))


async def undo(ctx: Context, request: Request) -> Response:
    with in_body("selection"):
        return respond(Undo.of(await undos.undo_enrichment(ctx, _scope(await read_object(request)))))


def _scope(body: dict[str, Any]) -> UndoScope:
    refuse_unknown(body, shape.UndoScope.keys_sent())
    of_records = any(body.get(key) is not None for key in ("entityType", "externalIds"))
    return UndoScope(
        provider=text_or_none(body, "provider"),
        field=text_or_none(body, "field"),
        start=moment_or_none(body, "from"),
        end=moment_or_none(body, "to"),
        selection=read_selection(body) if of_records else None,
        allow_again=flag(body, "allowAgain"),
    )


async def list_undos(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    page = query.page()
    query.check()
    found = await read_page(undos.list_undos(ctx, page))
    return respond_with_page(request, found, [Undo.of(row) for row in found.items])


async def get_undo(ctx: Context, request: Request) -> Response:
    return respond(Undo.of(await undos.get_undo(ctx, request.path_params["id"])))


async def list_lines(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    page = query.page()
    query.check()
    one = await undos.get_undo(ctx, request.path_params["id"])
    found = await read_page(undos.undo_lines(ctx, one.id, None, page))
    return respond_with_page(request, found, [UndoLine.of(row) for row in found.items])


async def revert(ctx: Context, request: Request) -> Response:
    refuse_unknown(await read_optional_object(request), ())
    return respond(Undo.of(await undos.revert_undo(ctx, request.path_params["id"])))


_UNDO_ID = Parameter(
    name="id",
    index="path",
    required=True,
    description="The undo's id.",
    schema={"type": "string", "format": "uuid"},
    example="01936f2a-7f00-7b21-8c40-5d6e7f809112",
)
_PREVIEW = RouteAnswer(description="What would become of each field", shape=UndoPreview, example=shape.PREVIEW_EXAMPLE)
_UNDONE = RouteAnswer(description="The undo", shape=Undo, example=shape.EXAMPLE)
_SCOPE = Body(shape=shape.UndoScope, examples=shape.SCOPE_EXAMPLES)

OPERATIONS = (
    RestOperation(
        method="GET",
        path="/jobs/{id}/undo",
        handler=preview_job,
        id="previewUndoJob",
        tag="Undo",
        summary="Preview the undo of a job",
        description="What undoing it would do now. Nothing is changed.",
        role=Role.MANAGER,
        parameters=(JOB_ID,),
        answer=_PREVIEW,
        refusals=("NOT_FOUND", "JOB_NOT_UNDOABLE"),
    ),
    RestOperation(
        method="POST",
        path="/jobs/{id}/undo",
        handler=undo_job,
        id="undoJob",
        tag="Undo",
        summary="Undo a job",
        description="Puts back what the job replaced, except where something newer has been written since.",
        role=Role.MANAGER,
        parameters=(JOB_ID,),
        body=Body(shape=UndoJobRequest, examples=shape.JOB_EXAMPLES, required=False),
        answer=_UNDONE,
        refusals=("NOT_FOUND", "JOB_NOT_UNDOABLE"),
    ),
    RestOperation(
        method="GET",
        path="/undos",
        handler=list_undos,
        id="listUndos",
        tag="Undo",
        summary="List undos",
        description="Newest first. Where there are more, `Link` leads to the next page.",
        parameters=PAGING,
        answer=RouteAnswer(description="List of undos", shape=list[Undo], example=[shape.EXAMPLE], headers=("Link",)),
    ),
    RestOperation(
        method="POST",
        path="/undos",
        handler=undo,
        id="undoEnrichment",
        tag="Undo",
        summary="Undo enrichment",
        description="Puts back what enrichment replaced, except where something newer has been written since.",
        role=Role.MANAGER,
        body=_SCOPE,
        answer=_UNDONE,
    ),
    RestOperation(
        method="POST",
        path="/undos/preview",
        handler=preview,
        id="previewUndoEnrichment",
        tag="Undo",
        summary="Preview an undo",
        description="What `POST /undos` would do now with the same body. Nothing is changed.",
        role=Role.MANAGER,
        body=_SCOPE,
        answer=_PREVIEW,
    ),
    RestOperation(
        method="GET",
        path="/undos/{id}",
        handler=get_undo,
        id="getUndo",
        tag="Undo",
        summary="Get an undo",
        parameters=(_UNDO_ID,),
        answer=_UNDONE,
        refusals=("NOT_FOUND",),
    ),
    RestOperation(
        method="GET",
        path="/undos/{id}/lines",
        handler=list_lines,
        id="listUndoLines",
        tag="Undo",
        summary="List what became of each field",
        description="Newest first. Where there are more, `Link` leads to the next page.",
        parameters=(_UNDO_ID, *PAGING),
        answer=RouteAnswer(
            description="List of fields", shape=list[UndoLine], example=[shape.LINE_EXAMPLE], headers=("Link",)
        ),
        refusals=("NOT_FOUND",),
    ),
    RestOperation(
        method="POST",
        path="/undos/{id}/revert",
        handler=revert,
        id="revertUndo",
        tag="Undo",
        summary="Take an undo back",
        description="One that is still at work ends.",
        role=Role.MANAGER,
        parameters=(_UNDO_ID,),
        body=Body(shape=NOTHING_TO_SAY, examples={"nothing": {}}, required=False),
        answer=_UNDONE,
        refusals=("NOT_FOUND", "UNDO_RUNNING"),
    ),
)
