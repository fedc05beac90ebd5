"""Which stored answers are about a record: by all that its fields have held, and by what other records ask with."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from enrichment.catalogue import fields_of
from enrichment.enums import HUMAN_SOURCES, EntityType
from enrichment.fields_before import forms_before, with_forms_before
from enrichment.normalize.contact.mail_domains import names_no_employer
from models.answer.cache import has_answers
from models.job.steps import every_candidate
from models.record import Record
from models.record.search import RecordFields, others_found_by
from models.record.value import ValueVersion, history_of
from providers.api import Provider, Question, key_digest
from resolvers.context import Services

_MOST_STATES = 60
_MOST_OTHERS = 200
_MOST_TEXTS = 10
_SHORTEST_TEXT = 3
_COMPANY_FIELDS = frozenset(
    {"company", "companyDomain", "website", "industry", "numberOfEmployees", "annualRevenue", "name", "domain"}
)
_COMPANY_NAMES = frozenset({"company", "companyDomain", "website", "email", "name", "domain"})

_log = structlog.get_logger(__name__)
QuestionKey = tuple[str, str]  # provider, input key


@dataclass(slots=True)
class RelatedAnswers:
    """What is related to a record that is to be erased.

    `own_fields`: the record's fields as they are and as they were, by the CRM or a person; `questions`: those that
    were or may have been asked about it; `shared_questions`: those of other records, which may be the same.
    """

    own_fields: list[dict[str, Any]]
    questions: set[QuestionKey] = field(default_factory=set)
    shared_questions: set[QuestionKey] = field(default_factory=set)


def is_of_company(entity_type: EntityType, findings: Iterable[Mapping[str, Any]]) -> bool:
    """Whether an answer is about a company alone, and about no person."""
    return entity_type is EntityType.ACCOUNT or all(finding["field"] in _COMPANY_FIELDS for finding in findings)


async def own_fields_of(record: Record) -> list[dict[str, Any]]:
    """The record's fields as they are and as they were, by the CRM or a person."""
    return _own_fields(record, await history_of(record.id))


def _own_fields(record: Record, history: Sequence[ValueVersion]) -> list[dict[str, Any]]:
    of_people = [
        {version.field: value}
        for version in history
        if version.source in HUMAN_SOURCES
        for value in (version.value, version.raw_value)
    ]
    # What is dialled in a cell is dialled from the record's country.
    sent = {**(record.raw_values or {}), "country": record.fields.get("country")}
    return [record.fields, record.received, sent, *of_people]


async def related_answers_of(services: Services, record: Record) -> RelatedAnswers:
    """What is related to the record."""
    history = await history_of(record.id)
    # A value that was not written may have been asked with all the same, by the next provider.
    stated = [(candidate["field"], candidate["value"]) for candidate in await every_candidate(record.id)]
    related = RelatedAnswers(_own_fields(record, history))
    providers = [
        provider for provider in services.registry if await has_answers(record.organization_id, provider.info.id)
    ]
    forms = forms_before(record.entity_type, record.fields, record.raw_values or {})
    before = with_forms_before(record.fields, forms)
    for fields in (before, *_states(record.fields, history), *_single_values(record.entity_type, history, stated)):
        related.questions |= _questions(providers, record.entity_type, fields, record.organization_id)
        await asyncio.sleep(0)
    if providers:
        for other in await _others(record, history, stated):
            related.shared_questions |= _questions(providers, other.entity_type, other.fields, record.organization_id)
            await asyncio.sleep(0)
    return related


def _states(fields: Mapping[str, Any], history: Sequence[ValueVersion]) -> list[dict[str, Any]]:
    """The record as it is, and as it was after each change."""
    known = {version.field for version in history}
    state: dict[str, Any] = {name: value for name, value in fields.items() if name not in known}
    states = []
    for version in history:
        state = {**state, version.field: version.value}
        states.append({name: value for name, value in state.items() if value is not None})
    return [dict(fields), *states[-_MOST_STATES:]]


def _single_values(
    entity_type: EntityType, history: Sequence[ValueVersion], stated: Sequence[tuple[str, Any]]
) -> list[dict[str, Any]]:
    """Each value that identifies the record, alone: a provider may be asked by it whatever else is known."""
    known = fields_of(entity_type)
    values = [(version.field, version.value) for version in history] + list(stated)
    identifying = [(name, value) for name, value in values if name in known and known[name].identifying and value]
    singles = {(name, str(value)): {name: value} for name, value in identifying}
    return list(singles.values())[: _MOST_STATES * 2]


def _questions(
    providers: Sequence[Provider], entity_type: EntityType, fields: Mapping[str, Any], organization_id: str
) -> set[QuestionKey]:
    """Every question that these providers may be asked with these fields, whatever is wanted."""
    found: set[QuestionKey] = set()
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
    record: Record, history: Sequence[ValueVersion], stated: Sequence[tuple[str, Any]]
) -> list[RecordFields]:
    """Some other records of the organization that name the same company: their questions may be the same."""
    values = [*record.fields.items(), *((version.field, version.value) for version in history), *stated]
    texts = sorted(set(filter(None, (_company_text(name, value) for name, value in values))))[:_MOST_TEXTS]
    return await others_found_by(record.organization_id, record.id, texts, _MOST_OTHERS)


def _company_text(name: str, value: Any) -> str | None:
    """What of a value other records of the same company hold, as the search text has it."""
    if not isinstance(value, str) or name not in _COMPANY_NAMES:
        return None
    text = value.lower()
    if name == "email":
        text = text.rpartition("@")[2]
        return None if names_no_employer(text) else text
    text = text.removeprefix("https://")
    return text if len(text) >= _SHORTEST_TEXT else None
