"""Deprecated: import from `auto_enrichment`. Plug-ins written for version 0.1 find their names here."""

import warnings

from providers.http.adapter import Adapter, Http, KeyCheck, Limit, Pending, Reply
from providers.http.adapter import EndpointLimits as LimitedApart
from providers.http.adapter import OptionalExtras as AsksExtra

__all__ = ["Adapter", "AsksExtra", "Http", "KeyCheck", "Limit", "LimitedApart", "Pending", "Reply"]

warnings.warn("providers.adapter is deprecated: import from auto_enrichment", DeprecationWarning, stacklevel=2)
