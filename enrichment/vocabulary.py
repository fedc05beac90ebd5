"""Deprecated: import from `auto_enrichment`. Plug-ins written for version 0.1 find their names here."""

import warnings

from enrichment.enums import EntityType

__all__ = ["EntityType"]

warnings.warn("enrichment.vocabulary is deprecated: import from auto_enrichment", DeprecationWarning, stacklevel=2)
