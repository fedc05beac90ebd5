"""Deprecated: import from `auto_enrichment`. Plug-ins written for version 0.1 find their names here."""

import warnings

from providers.api import NO_MATCH, Answer, Finding, Pending, Provider, ProviderError, ProviderInfo, Question
from providers.api import RequiresKey as Keyed

__all__ = ["NO_MATCH", "Answer", "Finding", "Keyed", "Pending", "Provider", "ProviderError", "ProviderInfo", "Question"]

warnings.warn("providers.base is deprecated: import from auto_enrichment", DeprecationWarning, stacklevel=2)
