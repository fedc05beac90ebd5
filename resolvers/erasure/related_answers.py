"""Which kept answers are about a record: by all that its fields have held, and by what other records ask with."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from enrichment.catalogue import fields_of
from enrichment.enums import HUMAN_SOURCES, EntityType
from enrichment.normalize.contact.mail_domains import names_no_employer
from models.answer.cache import has_answers
from models.db.connection import dialect
from models.db.statements import load, query
from providers.api import Provider, Question, key_digest
from resolvers.context import Services

_MOST_STATES = 60
_MOST_OTHERS = 200
_MOST_TEXTS = 10
_SHORTEST_SOUGHT = 3
_COMPANY_FIELDS = frozenset(
    {"company", "companyDomain", "website", "industry", "numberOfEmployees", "annualRevenue", "name", "domain"}
)
_COMPANY_NAMES = frozenset({"company", "companyDomain", "website", "email", "name", "domain"})

_log = structlog.get_logger(__name__)
Key = tuple[str, str]  # provider, input key


@dataclass(slots=True)
class RelatedAnswers:
    """What is known of a record for its erasure.

    `own`: the record's fields as they are and as they were, by the CRM or a person; `keys`: the questions that were
    or may have been asked about it; `shared`: those of other records, which may be the same.
    """

    version: int
    own: list[dict[str, Any]]
    keys: set[Key] = field(default_factory=set)
    shared: set[Key] = field(default_factory=set)


def is_of_company(entity_type: EntityType, findings: Iterable[Mapping[str, Any]]) -> bool:
    """Whether an answer tells of a company alone, and of no person."""
    return entity_type is EntityType.ACCOUNT or all(one["field"] in _COMPANY_FIELDS for one in findings)


async def related_answers_of(services: Services, row: Mapping[str, Any]) -> RelatedAnswers:
    """What is known of the record in this row (JSON columns read)."""
    entity_type = EntityType(row["entity_type"])
    history = await query(
        "SELECT field, value, source, replaced_at FROM field_value WHERE record_id = ? ORDER BY id", [row["id"]]
    )
    for value in history:
        value["value"] = load(value["value"])
    found = await _found(row["id"])
    traces = RelatedAnswers(row["version"], [row["fields"], row["received"], *_own_values(history)])
    providers = [one for one in services.registry if await has_answers(row["organization_id"], one.info.id)]
    for fields in (*_states(row["fields"], history), *_single_values(entity_type, history, found)):
        traces.keys |= _keys(providers, entity_type, fields, row["organization_id"])
        await asyncio.sleep(0)
    if providers:
        for kind, fields in await _others(row, history, found):
            traces.shared |= _keys(providers, kind, fields, row["organization_id"])
            await asyncio.sleep(0)
    return traces


async def _found(record_id: str) -> list[tuple[str, Any]]:
    """What providers said of the record, written or not: a next provider may have been asked with it."""
    steps = await query(
        "SELECT candidates FROM step WHERE job_id IN (SELECT id FROM job WHERE record_id = ?)", [record_id]
    )
    return [(one["field"], one["value"]) for step in steps for one in load(step["candidates"])]


def _own_values(history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each value that the CRM or a person held to be the record's."""
    return [{value["field"]: value["value"]} for value in history if value["source"] in HUMAN_SOURCES]


def _states(fields: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The record as it is, and as it was after each change."""
    unknown = {name: value for name, value in fields.items() if name not in {one["field"] for one in history}}
    state: dict[str, Any] = dict(unknown)
    states = []
    for value in history:
        state = {**state, value["field"]: value["value"]}
        states.append({name: held for name, held in state.items() if held is not None})
    return [dict(fields), *states[-_MOST_STATES:]]


def _single_values(
    entity_type: EntityType, history: Sequence[Mapping[str, Any]], found: Sequence[tuple[str, Any]]
) -> list[dict[str, Any]]:
    """Each value that tells who the record is, alone: by it a provider asks whatever else it knows."""
    known = fields_of(entity_type)
    values = [(one["field"], one["value"]) for one in history] + list(found)
    telling = [(name, value) for name, value in values if name in known and known[name].identifying and value]
    singles = {(name, str(value)): {name: value} for name, value in telling}
    return list(singles.values())[: _MOST_STATES * 2]


def _keys(
    providers: Sequence[Provider], entity_type: EntityType, fields: Mapping[str, Any], organization_id: str
) -> set[Key]:
    """Every question that these providers may ask with these fields, whatever is wanted."""
    found: set[Key] = set()
    for provider in providers:
        gives = provider.info.gives.get(entity_type, frozenset())
        for wanted in (gives, *(frozenset({name}) for name in gives)):
            try:
                key = provider.input_key(Question(entity_type, fields, wanted, organization_id))
            except Exception as error:
                # What it cannot read, it cannot have asked with.
                _log.warning("provider cannot read a question", provider=provider.info.id, error=type(error).__name__)
                continue
            if key is not None:
                found.add((provider.info.id, key_digest(key)))
    return found


async def _others(
    row: Mapping[str, Any], history: Sequence[Mapping[str, Any]], found: Sequence[tuple[str, Any]]
) -> list[tuple[EntityType, dict[str, Any]]]:
    """Some other records of the organization that name the same company: their questions may be the same."""
    values = [*row["fields"].items(), *((one["field"], one["value"]) for one in history), *found]
    texts = sorted(set(filter(None, (_company_text(name, value) for name, value in values))))[:_MOST_TEXTS]
    if not texts:
        return []
    finds = "INSTR(search_text, ?) > 0" if dialect() == "sqlite" else "POSITION(? IN search_text) > 0"
    rows = await query(
        "SELECT entity_type, fields FROM record WHERE organization_id = ? AND id <> ?"
        f" AND ({' OR '.join([finds] * len(texts))}) ORDER BY id DESC LIMIT ?",
        [row["organization_id"], row["id"], *texts, _MOST_OTHERS],
    )
    return [(EntityType(other["entity_type"]), load(other["fields"])) for other in rows]


def _company_text(name: str, value: Any) -> str | None:
    """What of a value other records of the same company hold, as the search text has it."""
    if not isinstance(value, str) or name not in _COMPANY_NAMES:
        return None
    text = value.lower()
    if name == "email":
        text = text.rpartition("@")[2]
        return None if names_no_employer(text) else text
    text = text.removeprefix("https://")
    return text if len(text) >= _SHORTEST_SOUGHT else None
