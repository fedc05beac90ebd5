"""Deprecated: import from `auto_enrichment`. Plug-ins written for version 0.1 find their names here."""

import warnings

from providers.http.replies import (
    OPTED_OUT,
    Findings,
    account_of,
    at,
    failure,
    items,
    json_or_nothing,
    mapping,
    moment,
    number,
    positive,
    retry_after,
    seconds_until,
    text,
    unreadable,
)

__all__ = [
    "OPTED_OUT",
    "Findings",
    "account_of",
    "at",
    "failure",
    "items",
    "json_or_nothing",
    "mapping",
    "moment",
    "number",
    "positive",
    "retry_after",
    "seconds_until",
    "text",
    "unreadable",
]

warnings.warn("providers.replies is deprecated: import from auto_enrichment", DeprecationWarning, stacklevel=2)
