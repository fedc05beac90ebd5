"""Lines of the audit log as REST shows them."""

from typing import Annotated, Any

from msgspec import Meta

from service.http.shape import Moment, Shape


class AuditEntry(Shape, frozen=True):
    """One line of the audit log."""

    number: Annotated[int, Meta(ge=1, description="Counts the organization's lines from 1, without gaps.")]
    at: Moment
    actor: Annotated[str | None, Meta(description="The user. Null: the service itself.")]
    origin: Annotated[str | None, Meta(description="The interface and the address: `rest 10.0.0.7`.")]
    action: Annotated[str, Meta(description="What was done: `config.changed`, `conflict.resolved`, …")]
    subject: Annotated[str, Meta(description="The id of what it was done to.")]
    details: Annotated[dict[str, Any], Meta(description="Ids, names and counts; never a value of a record.")]
    previous: Annotated[str, Meta(description="The hash of the line before; empty for the first.")]
    hash: Annotated[str, Meta(description="SHA-256 of the line and the hash before it.")]
    seal_key_id: Annotated[str | None, Meta(description="The key with which the line is sealed. Null: it is not.")]


EXAMPLE = AuditEntry.example(
    number=12, actor="ann", origin="rest 10.0.0.7", action="config.changed", subject="config", details={"version": 3}
)
