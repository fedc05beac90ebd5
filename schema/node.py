"""Objects by their ids alone: `node` and `nodes`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import strawberry

from models.db.wanted import EVERYTHING
from resolvers import config, pipeline, stats
from resolvers.conflict import suggestions
from resolvers.credit import api as credit
from resolvers.errors import Fault, ValidationFailed
from resolvers.node import NodeKind, kinds_of, rows_of
from resolvers.paging import MAX_SIZE, is_id
from schema.base.context import Info
from schema.base.node import Node, OrganizationNode
from schema.base.views import RowView
from schema.base.wanted import wanted_items
from schema.config.config import Config
from schema.conflict.conflict import CONFLICT
from schema.conflict.suggestion import RuleSuggestion
from schema.credit.credit import ENTRY, CreditUsage
from schema.erasure import ErasureCertificate
from schema.job.job import JOB
from schema.pipeline import Pipeline
from schema.record.record import RECORD
from schema.stats import Stats
from schema.suppression import Suppression
from schema.undo import Undo
from schema.webhook.webhook import WebhookDelivery, WebhookEndpoint

_SHOWN: Mapping[NodeKind, RowView[Any, Any] | Callable[[Any], Node]] = {
    NodeKind.RECORD: RECORD,
    NodeKind.JOB: JOB,
    NodeKind.CONFLICT: CONFLICT,
    NodeKind.CREDIT_ENTRY: ENTRY,
    NodeKind.UNDO: Undo.of,
    NodeKind.SUPPRESSION: Suppression.of,
    NodeKind.ERASURE: ErasureCertificate.of,
    NodeKind.WEBHOOK_ENDPOINT: WebhookEndpoint.of,
    NodeKind.WEBHOOK_DELIVERY: WebhookDelivery.of,
}


async def _find(info: Info, ids: Sequence[str]) -> list[Node | None]:
    """The objects of these ids, in their order; None for one that is not there, or not the caller's to read."""
    wanted = dict.fromkeys(ids)
    found = await _rows(info, [id for id in wanted if is_id(id)])
    if any(is_id(id, version=5) and id not in found for id in wanted):
        found |= {
            view.suggestion.id: RuleSuggestion.of(view) for view in await suggestions.list_suggestions(info.context)
        }
    for id in wanted:
        named = OrganizationNode.read(id)
        if named is not None:
            found[id] = await _of_organization(info, named)
    return [found.get(id) for id in ids]


async def _rows(info: Info, ids: Sequence[str]) -> dict[str, Node | None]:
    by_kind: dict[NodeKind, list[str]] = {}
    for id, kind in (await kinds_of(info.context, ids)).items():
        by_kind.setdefault(kind, []).append(id)
    found: dict[str, Node | None] = {}
    for kind, of_kind in by_kind.items():
        show = _SHOWN[kind]
        shown = wanted_items(info, show) if isinstance(show, RowView) else EVERYTHING
        rows = await rows_of(info.context, kind, of_kind, shown)
        found |= {id: show(row) for id, row in rows.items()}
    return found


async def _of_organization(info: Info, named: OrganizationNode) -> Node | None:
    context = info.context
    if context.caller is None or named.organization_id != context.caller.organization_id:
        return None
    return await _ONCE[named.kind](info, named)


async def _config(info: Info, named: OrganizationNode) -> Node:
    return Config.of(await config.get_config(info.context))


async def _pipeline(info: Info, named: OrganizationNode) -> Node:
    return Pipeline.of(await pipeline.get_pipeline(info.context))


async def _credits(info: Info, named: OrganizationNode) -> Node:
    return CreditUsage.of(await credit.get_credits(info.context, named.start, named.end), (named.start, named.end))


async def _stats(info: Info, named: OrganizationNode) -> Node:
    return Stats.of(await stats.get_stats(info.context, named.start, named.end), (named.start, named.end))


_ONCE: Mapping[str, Callable[[Info, OrganizationNode], Awaitable[Node]]] = {
    "config": _config,
    "pipeline": _pipeline,
    "credits": _credits,
    "stats": _stats,
}


@strawberry.type
class NodeQuery:
    @strawberry.field(description="Whatever has this id. Null: it is not there, or not yours to read.")
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        return (await _find(info, [id]))[0]

    @strawberry.field(description=f"What has these ids, up to {MAX_SIZE}, in their order; null as `node` says.")
    async def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
        if len(ids) > MAX_SIZE:
            raise ValidationFailed("too many ids", faults=[Fault("ids", f"at most {MAX_SIZE}")])
        return await _find(info, ids)
