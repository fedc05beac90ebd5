"""A certificate of erasure as REST shows it."""

from typing import Annotated, Self

from msgspec import Meta

from enrichment.enums import EntityType
from resolvers.erasure.api import EraseResult
from service.http.shape import Count, Id, Moment, Part, Shape
from service.rest.shapes.example_moments import REVIEWED


class Removed(Part, frozen=True):
    """How much was removed, and where."""

    where: str
    count: Count


class RecordName(Part, frozen=True):
    """A record by the CRM's own id."""

    entity_type: EntityType
    external_id: str


class ErasureCertificate(Shape, frozen=True):
    """What was removed of a record, where, and what was not reached. It names no value."""

    id: Id
    entity_type: EntityType
    reason: str | None
    erased_at: Moment
    by: str | None
    removed: list[Removed]
    not_reached: list[str]
    others: Annotated[
        list[RecordName],
        Meta(description="Records that hold the same e-mail address or profile and were not erased."),
    ]

    @classmethod
    def of(cls, result: EraseResult) -> Self:
        certificate = result.certificate
        return cls.copied(
            certificate,
            by=certificate.erased_by,
            removed=[Removed.from_json(part) for part in certificate.removed],
            others=[RecordName.copied(other) for other in result.others],
        )


EXAMPLE = ErasureCertificate.example(
    id="01936f2a-7c00-7e1d-9d2c-2b3c4d5e6f70",
    entity_type=EntityType.LEAD,
    reason="Art. 17 GDPR",
    erased_at=REVIEWED,
    by="admin-1",
    removed=[
        Removed(where="record", count=1),
        Removed(where="values and their history", count=14),
        Removed(where="jobs", count=2),
        Removed(where="kept answers of providers", count=3),
    ],
    not_reached=["what providers keep of the questions that they were asked", "what the CRM holds"],
    others=[RecordName(entity_type=EntityType.CONTACT, external_id="contact-12")],
)
