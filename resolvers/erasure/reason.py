"""The reason of an erasure, which outlives the record on the certificate."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from enrichment.enums import EntityType
from enrichment.identity import Identifier, IdentifierKind, identifiers
from resolvers.errors import Fault, ValidationFailed
from resolvers.validation import check_text

MAX_REASON = 500
_LAST_DIGITS = 8  # of a phone number, which identify it without its country code
_SHORTEST_ID = 4  # a shorter external id may be part of any text


def check_reason(reason: str | None, external_id: str, own_fields: Sequence[Mapping[str, Any]]) -> None:
    """Raises ValidationFailed for a reason that tells whom the record was about.

    `own_fields`: the record's fields as they are and as they were.
    """
    if reason is None:
        return
    check_text(reason, "reason", longest=MAX_REASON)
    names = {f"{first} {last}" for first in _texts(own_fields, "firstName") for last in _texts(own_fields, "lastName")}
    names |= {external_id} if len(external_id) >= _SHORTEST_ID else set()
    if _repeats_identifier(reason, own_fields) or any(_holds(" ".join(reason.split()), name) for name in names):
        raise ValidationFailed(
            "the reason repeats what is erased", faults=[Fault("reason", "must not tell who it was")]
        )


def _repeats_identifier(reason: str, own_fields: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the reason holds a mailbox, profile or phone number of the record, in any spelling."""
    named: set[Identifier] = set()
    for word in (reason, *reason.split()):
        named |= identifiers(EntityType.CONTACT, {"reason": word})
    digits = "".join(filter(str.isdigit, reason))
    known = {identifier for fields in own_fields for identifier in identifiers(EntityType.CONTACT, fields)}
    return any(
        (identifier in named and identifier.kind is not IdentifierKind.DOMAIN)
        or (identifier.kind is IdentifierKind.PHONE and identifier.value[-_LAST_DIGITS:] in digits)
        for identifier in known
    )


def _texts(own_fields: Sequence[Mapping[str, Any]], name: str) -> set[str]:
    return {fields[name] for fields in own_fields if isinstance(fields.get(name), str)}


def _holds(reason: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", reason, re.IGNORECASE) is not None
