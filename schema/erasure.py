"""Erasing records, and the certificates of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

import strawberry

from models.erasure import table as models
from models.record import search
from resolvers.erasure import api as operations
from resolvers.paging import DEFAULT_SIZE
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import EntityType
from schema.base.node import Node
from schema.base.paging import Connection, page_args
from schema.base.problem import Problem


@strawberry.type(description="How much was removed, and where.")
class Removed:
    where: str
    count: int


@strawberry.type(description="A record by the CRM's own id.")
class RecordName:
    entity_type: EntityType
    external_id: strawberry.ID


@strawberry.type(description="What was removed of a record, where, and what was not reached. It names no value.")
class ErasureCertificate(Node):
    id: strawberry.ID
    entity_type: EntityType
    reason: str | None
    erased_at: datetime
    by: str | None
    removed: list[Removed]
    not_reached: list[str]
    lifted_at: datetime | None = strawberry.field(description="Since when the same person may come back.")
    lifted_by: str | None
    others: list[RecordName] | None = strawberry.field(
        description="Records that hold the same e-mail address or profile and were not erased."
        " Told by the erasure alone, and kept nowhere."
    )

    @classmethod
    def of(cls, row: models.Erasure, others: Sequence[search.RecordName] | None = None) -> Self:
        return copied(
            cls,
            row,
            by=row.erased_by,
            removed=[Removed(where=part["where"], count=part["count"]) for part in row.removed],
            not_reached=list(row.not_reached),
            others=None
            if others is None
            else [
                RecordName(entity_type=other.entity_type, external_id=strawberry.ID(other.external_id))
                for other in others
            ],
        )

    @classmethod
    def of_result(cls, result: operations.EraseResult) -> Self:
        return cls.of(result.certificate, result.others)


@strawberry.type(description="How the erasure of one of many records ended.")
class EraseRecordResult:
    external_id: strawberry.ID
    certificate: ErasureCertificate | None
    error: Problem | None

    @classmethod
    def of(cls, outcome: operations.EraseOutcome) -> Self:
        return cls(
            external_id=strawberry.ID(outcome.external_id),
            certificate=None if outcome.result is None else ErasureCertificate.of_result(outcome.result),
            error=None if outcome.error is None else Problem.of(outcome.error),
        )


@strawberry.type
class ErasureQuery:
    @strawberry.field(description="The certificates of what was erased.")
    async def erasures(
        self,
        info: Info,
        first: int | None = DEFAULT_SIZE,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ErasureCertificate]:
        page = await operations.list_erasures(info.context, page_args(info, first, after, last, before))
        return Connection[ErasureCertificate].of(page, ErasureCertificate.of)

    @strawberry.field(description="One certificate.")
    async def erasure(self, info: Info, id: strawberry.ID) -> ErasureCertificate:
        return ErasureCertificate.of(await operations.get_erasure(info.context, id))


@strawberry.type
class ErasureMutation:
    @strawberry.mutation(
        description="Remove a record and all that was kept of it. The same person, by e-mail, phone, profile or"
        " external id, is refused with ERASED from then on; an account by its domain too with `blockDomain`."
    )
    async def erase_record(
        self,
        info: Info,
        entity_type: EntityType,
        external_id: strawberry.ID,
        reason: str | None = None,
        block_domain: bool | None = False,
    ) -> ErasureCertificate:
        result = await operations.erase_record(
            info.context, entity_type, external_id, reason=reason, block_domain=bool(block_domain)
        )
        return ErasureCertificate.of_result(result)

    @strawberry.mutation(description="As `eraseRecord`, for up to 100 records, each by itself.")
    async def erase_records(
        self, info: Info, entity_type: EntityType, external_ids: list[strawberry.ID], reason: str | None = None
    ) -> list[EraseRecordResult]:
        outcomes = await operations.erase_records(info.context, entity_type, external_ids, reason=reason)
        return [EraseRecordResult.of(outcome) for outcome in outcomes]

    @strawberry.mutation(
        description="Let the erased person come back as a new record. Nothing that was erased returns."
    )
    async def lift_erasure(self, info: Info, certificate_id: strawberry.ID) -> ErasureCertificate:
        return ErasureCertificate.of(await operations.lift_erasure(info.context, certificate_id))
