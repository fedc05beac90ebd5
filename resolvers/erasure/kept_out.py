"""Who was erased stays so: the values that are about to be written are looked up among the marks of the erased.

Many records at once, with one look at which organizations have erased anybody, and one for all marks of those.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from enrichment.enums import EntityType
from enrichment.erased_values import ErasedMark, ShownMark, fields_that_bring_back, new_values, shown_marks
from enrichment.erasure import NAME
from enrichment.words import field_words
from models.db.transaction import Transaction
from models.erasure.tombstone import OwnedMark, organizations_that_erased, tombstones_of
from resolvers.context import Services
from resolvers.erasure.reimport_guard import hash_of
from resolvers.errors import Erased
from resolvers.keyed_hash import KeyLost, keyed_hash_of

NOTHING: Mapping[str, str] = {}
UNKNOWN = ""  # in place of an erasure's id, where it cannot be told who was erased: then nothing is written

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class ProposedValues:
    """What would be written to a record of an organization, or be put to a person, and what the record holds."""

    organization_id: str
    entity_type: EntityType
    held: Mapping[str, Any]
    values: Mapping[str, Any]


async def kept_out(
    services: Services, proposed: Sequence[ProposedValues], *, using: Transaction | None = None
) -> list[Mapping[str, str]]:
    """For each, the values that would bring an erased person back: by field, the id of the erasure.

    Where the hashes of the erased cannot be compared, every new value; the id is UNKNOWN then.
    """
    found: list[Mapping[str, str]] = [NOTHING] * len(proposed)
    erased = await organizations_that_erased({item.organization_id for item in proposed if item.values}, using=using)
    new = {
        index: values
        for index, item in enumerate(proposed)
        if item.organization_id in erased and (values := new_values(item.entity_type, item.held, item.values))
    }
    if not new:
        return found
    try:
        keyed_hash = await keyed_hash_of(services)
    except KeyLost as error:
        _log.error("it cannot be told who was erased, so nothing is written", reason=str(error))
        for index, values in new.items():
            found[index] = dict.fromkeys(values, UNKNOWN)
        return found
    hashes: dict[int, list[tuple[ShownMark, OwnedMark]]] = {}
    for index, values in new.items():
        item = proposed[index]
        hashes[index] = [
            (shown, OwnedMark(item.organization_id, hash_of(keyed_hash, item.organization_id, shown.mark)))
            for shown in shown_marks(item.entity_type, item.held, values)
        ]
    left: dict[OwnedMark, list[ErasedMark]] = {}
    for row in await tombstones_of({owned for of_item in hashes.values() for _, owned in of_item}, using=using):
        mark = ErasedMark(row.erasure_id, row.shared, row.named)
        left.setdefault(OwnedMark(row.organization_id, row.hash), []).append(mark)
    for index, of_item in hashes.items():
        shared = {shown: left[owned] for shown, owned in of_item if owned in left}
        has_name = any(shown.mark.kind == NAME for shown, _ in of_item)
        found[index] = fields_that_bring_back(proposed[index].entity_type, new[index], shared, has_name=has_name)
    return found


async def refuse_erased(services: Services, proposed: ProposedValues, *, using: Transaction) -> None:
    """Raises Erased where a person or a rule would bring somebody back by these values."""
    [found] = await kept_out(services, [proposed], using=using)
    if found:
        raise erased_value(found)


def erased_value(found: Mapping[str, str]) -> Erased:
    """The error that these values, by field the id of the erasure, would bring an erased person back."""
    fields = " and ".join(f"the {field_words(field)}" for field in sorted(found))
    erasure_id = next(iter(found.values()))
    if erasure_id == UNKNOWN:
        return Erased(f"it cannot be told whether {fields} would bring an erased person back: the key is lost")
    message = f"{fields} would bring a person back who was erased (certificate {erasure_id}); an admin may lift that"
    return Erased(message, certificateId=erasure_id)
