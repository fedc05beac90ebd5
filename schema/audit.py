"""The audit log: who changed what, when and from where."""

from datetime import datetime
from typing import Self

import strawberry

from models import audit_list as models
from resolvers import audit as operations
from resolvers.paging import DEFAULT_SIZE
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.paging import Connection, page_args
from schema.base.scalars import JSON


@strawberry.type(description="One line of the audit log.")
class AuditEntry:
    number: int = strawberry.field(description="Counts the organization's lines from 1, without gaps.")
    at: datetime
    actor: str | None = strawberry.field(description="The user. Null: the service itself.")
    origin: str | None = strawberry.field(description="The interface and the address: `graphql 10.0.0.7`.")
    action: str = strawberry.field(description="What was done: `config.changed`, `conflict.resolved`, …")
    subject: str = strawberry.field(description="The id of what it was done to.")
    details: JSON = strawberry.field(description="Ids, names and counts; never a value of a record.")
    previous: str = strawberry.field(description="The hash of the line before; empty for the first.")
    hash: str = strawberry.field(description="SHA-256 of the line and the hash before it.")
    seal_key_id: str | None = strawberry.field(description="The key with which the line is sealed. Null: it is not.")

    @classmethod
    def of(cls, entry: operations.AuditEntry) -> Self:
        return copied(cls, entry, details=JSON(entry.details))


@strawberry.type(description="What a walk along the chain found.")
class AuditCheck:
    intact: bool
    entries: int = strawberry.field(description="How many lines were found good.")
    head: str = strawberry.field(description="The hash of the last of them: note it down to check against it later.")
    fault: str | None
    sealed_from: int | None = strawberry.field(
        description="The number of the first line with a keyed seal: note it down too. Null: none has."
    )
    key_ids: list[str] = strawberry.field(description="The keys with which lines are sealed, oldest first.")
    missing_key_ids: list[str] = strawberry.field(
        description="Those of them that the service does not have: what they sealed is not verified."
    )
    seals_hold: bool | None = strawberry.field(
        description="Whether every line from `sealedFrom` on is sealed and is what was written. Null: it cannot be"
        " told, because no key is set, a key is missing, or nothing is sealed yet."
    )
    seal_note: str = strawberry.field(description="The same in words.")
    whole: bool = strawberry.field(description="Whether every line was walked now; else those since the last proof.")
    proved_at: datetime | None = strawberry.field(
        description="When the last proof was made, from which it was gone on."
    )
    proved_entries: int = strawberry.field(description="How many lines, from the first on, the last proof covers.")

    @classmethod
    def of(cls, check: operations.AuditCheck) -> Self:
        return copied(cls, check, key_ids=list(check.key_ids), missing_key_ids=list(check.missing_key_ids))


@strawberry.input(description="Which lines: all that is given must hold.")
class AuditFilter:
    action: str | None = strawberry.field(default=None, description="Whole, or its first part: `config`.")
    actor: str | None = None
    subject: str | None = None
    after: datetime | None = strawberry.field(default=None, description="Inclusive.")
    before: datetime | None = strawberry.field(default=None, description="Exclusive.")

    def read(self) -> models.AuditFilter:
        return models.AuditFilter(self.action, self.actor, self.subject, self.after, self.before)


@strawberry.type
class AuditQuery:
    @strawberry.field(description="Every change of configuration, credits, keys, reviews, undos and erasures.")
    async def audit(
        self,
        info: Info,
        filter: AuditFilter | None = None,
        first: int | None = DEFAULT_SIZE,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[AuditEntry]:
        wanted = (filter or AuditFilter()).read()
        page = await operations.list_audit(info.context, wanted, page_args(info, first, after, last, before))
        return Connection[AuditEntry].of(page, AuditEntry.of)

    @strawberry.field(
        description="Whether every line is there and is what was written: on from the last proof, or from the first"
        " line (`whole`)."
    )
    async def verify_audit(
        self, info: Info, number: int | None = None, head: str | None = None, whole: bool | None = None
    ) -> AuditCheck:
        check = await operations.verify_audit(info.context, number=number, head=head, whole=bool(whole))
        return AuditCheck.of(check)
