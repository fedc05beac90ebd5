"""Records by their ids, and the organization's records by a filter."""

from datetime import datetime

import strawberry

from models.record import page as record_pages
from resolvers.context import Role
from resolvers.errors import BadRequest, Fault
from resolvers.paging import DEFAULT_SIZE
from resolvers.record import api as operations
from schema.base.context import Info
from schema.base.enums import EntityType, RecordOrder
from schema.base.paging import Connection, page_args
from schema.base.wanted import printed_nodes, wanted_items
from schema.record.record import RECORD, Record


@strawberry.input(description="Which records: all that is given must hold.")
class RecordFilter:
    entity_type: EntityType | None = None
    external_ids: list[strawberry.ID] | None = None
    search: str | None = strawberry.field(
        default=None, description="Part of a name, an e-mail, a domain or the external id."
    )
    completeness_below: float | None = strawberry.field(default=None, description="From 0 to 1.")
    completeness_at_least: float | None = strawberry.field(default=None, description="From 0 to 1.")
    enriched_before: datetime | None = None
    enriched_after: datetime | None = strawberry.field(default=None, description="Enriched last after this moment.")
    never_enriched: bool | None = None

    def read(self) -> record_pages.RecordFilter:
        return record_pages.RecordFilter(
            entity_type=self.entity_type,
            external_ids=None if self.external_ids is None else tuple(self.external_ids),
            search=self.search,
            completeness_below=self.completeness_below,
            completeness_at_least=self.completeness_at_least,
            enriched_before=self.enriched_before,
            enriched_after=self.enriched_after,
            never_enriched=self.never_enriched,
        )


@strawberry.type
class RecordQuery:
    @strawberry.field(description="One record: by its type and the CRM's own id, or by its `id`.")
    async def record(
        self,
        info: Info,
        entity_type: EntityType | None = None,
        external_id: strawberry.ID | None = None,
        id: strawberry.ID | None = None,
    ) -> Record:
        info.context.require(Role.VIEWER)  # who may not ask is not told what is wrong with the question
        if id is None and entity_type is not None and external_id is not None:
            return Record.of(await operations.get_record(info.context, entity_type, external_id))
        if id is None or entity_type is not None or external_id is not None:
            message = "name either `id`, or `entityType` and `externalId`"
            raise BadRequest(message, faults=[Fault("id", message)])
        return RECORD(await operations.get_record_by_id(info.context, id, wanted_items(info, RECORD)))

    @strawberry.field(description="The organization's records, newest first or as `orderBy` says.")
    async def records(
        self,
        info: Info,
        filter: RecordFilter | None = None,
        first: int | None = DEFAULT_SIZE,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        order_by: RecordOrder | None = RecordOrder.CREATED_AT_DESC,
    ) -> Connection[Record]:
        wanted = filter or RecordFilter()
        args = page_args(info, first, after, last, before)
        page = await operations.list_records(
            info.context, wanted.read(), args, printed_nodes(info, RECORD), order_by or RecordOrder.CREATED_AT_DESC
        )
        return Connection[Record].of(page, RECORD)
