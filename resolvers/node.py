"""Objects by their ids alone, whatever they are."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from models.conflict.shown import shown_conflicts
from models.credit.entry import shown_entries
from models.db.wanted import Wanted
from models.erasure.certificate import certificates_by_id
from models.job.shown import jobs_by_id
from models.node import tables_of
from models.record.page import shown_records
from models.suppression import suppressions_by_id
from models.undo import undos_by_id
from models.webhook.delivery import deliveries_by_id
from models.webhook.endpoint import endpoints_by_id
from resolvers.context import Context, Role


class NodeKind(StrEnum):
    """What has an id that nothing else has, by its table."""

    RECORD = "record"
    JOB = "job"
    CONFLICT = "conflict"
    CREDIT_ENTRY = "credit_entry"
    UNDO = "undo"
    SUPPRESSION = "suppression"
    ERASURE = "erasure"
    WEBHOOK_ENDPOINT = "webhook_endpoint"
    WEBHOOK_DELIVERY = "webhook_delivery"


_READ_BY: Mapping[NodeKind, Role] = {
    **dict.fromkeys(NodeKind, Role.VIEWER),
    NodeKind.SUPPRESSION: Role.ADMIN,
    NodeKind.ERASURE: Role.ADMIN,
    NodeKind.WEBHOOK_ENDPOINT: Role.ADMIN,
    NodeKind.WEBHOOK_DELIVERY: Role.ADMIN,
}
_READ: Mapping[NodeKind, Callable[[str, Sequence[str], Wanted], Awaitable[Sequence[Any]]]] = {
    NodeKind.RECORD: shown_records,
    NodeKind.JOB: jobs_by_id,
    NodeKind.CONFLICT: shown_conflicts,
    NodeKind.CREDIT_ENTRY: shown_entries,
    NodeKind.UNDO: lambda organization_id, ids, _: undos_by_id(organization_id, ids),
    NodeKind.SUPPRESSION: lambda organization_id, ids, _: suppressions_by_id(organization_id, ids),
    NodeKind.ERASURE: lambda organization_id, ids, _: certificates_by_id(organization_id, ids),
    NodeKind.WEBHOOK_ENDPOINT: lambda organization_id, ids, _: endpoints_by_id(organization_id, ids),
    NodeKind.WEBHOOK_DELIVERY: lambda organization_id, ids, _: deliveries_by_id(organization_id, ids),
}


async def kinds_of(ctx: Context, ids: Sequence[str]) -> dict[str, NodeKind]:
    """What these ids are the ids of. Left out is what is not there, and what the caller's role may not read."""
    caller = ctx.require(Role.VIEWER)
    readable = [kind.value for kind, role in _READ_BY.items() if caller.role.covers(role)]
    tables = await tables_of(caller.organization_id, ids, readable)
    return {id: NodeKind(table) for id, table in tables.items()}


async def rows_of(ctx: Context, kind: NodeKind, ids: Sequence[str], shown: Wanted) -> dict[str, Any]:
    """What is to be shown of the objects of one kind, by id. Left out is what is not there."""
    caller = ctx.require(_READ_BY[kind])
    return {row.id: row for row in await _READ[kind](caller.organization_id, ids, shown)}
