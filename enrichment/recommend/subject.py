"""What is looked at when the signs of a value are read: the value among the others of its record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from enrichment.normalize.contact.email import EmailKind, email_kind
from enrichment.normalize.contact.mail_domains import names_no_employer
from enrichment.normalize.contact.url import registrable_domain
from enrichment.normalize.field_kind import FieldKind
from enrichment.recommend.weights import Sign

Others = Mapping[str, Any]  # the record's other values, by field


@dataclass(frozen=True, slots=True)
class Found:
    """One sign about a value, and what it is in plain words, as a clause that begins with "it"."""

    sign: Sign
    words: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A value that is looked at: of which field, and among which other values of its record.

    `stated` is what the other side says of the other fields: the sources, where the value is the record's own.
    """

    entity_type: EntityType
    name: str
    value: Any
    others: Others
    stated: Sequence[tuple[str, Any]] = ()

    @property
    def kind(self) -> FieldKind:
        return kind_of(self.entity_type, self.name)

    @property
    def text(self) -> str:
        return self.value if isinstance(self.value, str) else str(self.value)

    def other(self, *names: str) -> str | None:
        """The first of these other values that there is."""
        return next((value for name in names if isinstance(value := self.others.get(name), str) and value), None)


def kind_of(entity_type: EntityType, name: str) -> FieldKind:
    """What sort of value a field holds; any text for one that the catalogue does not know."""
    known = fields_of(entity_type).get(name)
    return FieldKind.TEXT if known is None else known.kind


def domains_of(fields: Mapping[str, Any], *, of_email: bool = True) -> list[str]:
    """The domains of the company that a record or an answer names, `of_email` also by an address at work."""
    found: list[str] = []
    for name in ("domain", "companyDomain", "website"):
        value = fields.get(name)
        if isinstance(value, str) and (domain := registrable_domain(value)) and not names_no_employer(domain):
            found.append(domain)
    email = fields.get("email")
    if of_email and isinstance(email, str) and email_kind(email) in {EmailKind.CORPORATE, EmailKind.ROLE}:
        found.append(registrable_domain(email) or "")
    return [domain for domain in found if domain]
