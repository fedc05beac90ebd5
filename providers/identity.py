"""Deprecated: import from `auto_enrichment`. Plug-ins written for version 0.1 find their names here."""

import warnings

from providers.matching.company_fit import names_alike
from providers.matching.identity import StatedIdentity as Told
from providers.matching.identity import is_asked_company, is_asked_person, wrong_entity

__all__ = ["Told", "is_asked_company", "is_asked_person", "names_alike", "wrong_entity"]

warnings.warn("providers.identity is deprecated: import from auto_enrichment", DeprecationWarning, stacklevel=2)
