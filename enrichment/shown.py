"""What is shown of records and beliefs, the same on every interface."""

from collections.abc import Mapping
from typing import Any, overload

from enrichment.enums import EntityType

_DIGITS = 3


@overload
def shown_confidence(confidence: float) -> float: ...
@overload
def shown_confidence(confidence: float | None) -> float | None: ...
def shown_confidence(confidence: float | None) -> float | None:
    """A confidence (0-1) to three digits, which is more than any source means by its figure. None stays None."""
    return None if confidence is None else round(confidence, _DIGITS)


def display_name(entity_type: EntityType, fields: Mapping[str, Any], external_id: str) -> str:
    """What a person would call a record: the name, else the e-mail address or the domain, else the CRM's own id."""
    if entity_type is EntityType.ACCOUNT:
        names = (_text(fields, "name"), _text(fields, "domain"))
    else:
        whole = " ".join(filter(None, (_text(fields, "firstName"), _text(fields, "lastName"))))
        names = (whole, _text(fields, "email"))
    return next(filter(None, names), external_id)


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value.strip() if isinstance(value, str) else ""
