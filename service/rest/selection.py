"""Which records a body of a request chooses: its own keys, which operations know as those of a selection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from enrichment.enums import EntityType
from resolvers.errors import Fault, ValidationFailed
from resolvers.job.enrich import RecordSelection
from service.rest.request import refused, text_or_none, texts_or_none


def read_selection(body: dict[str, Any]) -> RecordSelection:
    """The records of `entityType`, those of `externalIds` or all. Raises ValidationFailed."""
    ids = texts_or_none(body, "externalIds")
    try:
        kind = EntityType((text_or_none(body, "entityType") or "").strip().lower())
    except ValueError:
        raise refused("entityType", f"must be one of {', '.join(EntityType)}") from None
    return RecordSelection(kind, external_ids=None if ids is None else tuple(ids))


@contextmanager
def in_body(name: str) -> Iterator[None]:
    """Faults in what an operation knows under this name are shown as those of the body itself."""
    try:
        yield
    except ValidationFailed as refusal:
        faults = [Fault(_without(name, fault.path), fault.message) for fault in refusal.faults]
        raise ValidationFailed(_without(name, refusal.message), faults=faults) from None


def _without(name: str, path: str) -> str:
    return path.removeprefix(name).removeprefix(".")
